"""The recipe of `sprites-svd`: what it learns from, and that its loss begins at the image model's and falls."""

from dataclasses import replace

import pytest
import torch

from common.data.sprites.attributes import SpriteObject, SpriteScene
from common.data.sprites.one_object import OneObject
from common.diffusion.losses import edm_loss
from common.models.inflated_model import InflatedUNet
from common.models.inflated_unet import new_parameters
from common.models.shipped import WeightsError
from common.training import KeyedNoise, read_log, read_weights, train
from common.zoo.sprites_image.recipe import RECIPE as IMAGE_RECIPE
from common.zoo.sprites_image.recipe import denoise
from common.zoo.sprites_svd import measures, recipe
from common.zoo.sprites_svd.clips import MovingObject, motion_bucket
from common.zoo.sprites_svd.recipe import (
    JUDGED,
    KINDS,
    RECIPE,
    asked,
    build_model,
    chosen_frames,
    compute_loss,
    dropped,
    mixed_loss,
    sparse,
)


def batch(num_clips: int = 4) -> dict:
    generator = torch.Generator().manual_seed(0)
    return {
        "latents": torch.randn(num_clips, 16, 9, 4, 4, generator=generator),
        "states": torch.randn(num_clips + 1, 32, 384, generator=generator),
        "motion": torch.arange(num_clips) * 50,
    }


def test_some_steps_on_one_batch_lower_its_loss():
    torch.manual_seed(0)
    model, noise = build_model("ci"), lambda: KeyedNoise(0, range(4))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 2e-3)
    losses = []
    for _ in range(12):
        losses.append(compute_loss(model, batch(), noise(), num_frames=4)["loss"])
        losses[-1].backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < 0.9 * losses[0]


def test_the_first_loss_is_that_of_the_image_model_frame_by_frame():
    torch.manual_seed(0)
    unet = IMAGE_RECIPE.build_model("ci").eval()
    torch.manual_seed(0)
    model, noise, given = build_model("ci").eval(), KeyedNoise(0, range(4)), batch()
    numbers, _ = chosen_frames(noise, 9, 4)
    x0 = torch.stack([clip[:, frames] for clip, frames in zip(given["latents"], numbers)])
    sigma, eps = (0.7 + 1.6 * noise.normal("sigma")).exp(), noise.normal("eps", x0.shape[1:])
    _, no_prompt = dropped(noise)
    states = torch.where(no_prompt[:, None, None], given["states"][-1:], given["states"][:-1])
    alone = lambda x, sigma: torch.stack([denoise(unet, x[:, :, k], sigma, states) for k in range(4)], dim=2)  # noqa: E731
    with torch.no_grad():
        due = edm_loss(alone, x0, eps, sigma, sigma_data=1.0).mean()
        found = compute_loss(model, given, KeyedNoise(0, range(4)), num_frames=4)["loss"]
    assert torch.isclose(found, due, rtol=1e-3)


def test_frames_are_every_one_or_every_second_one_within_the_clip():
    numbers, fps = chosen_frames(KeyedNoise(0, range(400)), 17, 8)
    strides = numbers.diff(dim=1)
    assert numbers.min() == 0 and numbers[:, 0].max() == 3 and numbers.max() <= 16
    assert torch.equal(strides, (8 / fps).long()[:, None].expand(-1, 7))
    assert 0.4 < (fps == 4).float().mean() < 0.6
    longer, fps = chosen_frames(KeyedNoise(0, range(50)), 17, 14)
    assert longer.max() <= 16 and (fps == 8).all()  # every second one would not fit


def test_one_sample_in_ten_lacks_the_picture_one_the_prompt_and_half_of_those_both():
    no_picture, no_prompt = dropped(KeyedNoise(0, range(4000)))
    for part, due in ((no_picture, 0.1), (no_prompt, 0.1), (no_picture & no_prompt, 0.05)):
        assert part.float().mean() == pytest.approx(due, abs=0.015)


def test_the_motion_bucket_is_where_the_speed_is_in_its_range():
    scene = lambda motion, speed, **camera: SpriteScene(  # noqa: E731
        (SpriteObject("star", "red", "large", motion, 0.19, 0.5, 0.5, speed),), "dots", "blue", **camera
    )
    assert [motion_bucket(scene("left", speed)) for speed in (0.2, 0.22, 0.28)] == [0, 64, 255]
    assert motion_bucket(scene("orbit", -0.6)) == 255 and motion_bucket(scene("still", 0.0)) == 127
    assert motion_bucket(scene("still", 0.0, camera="pan_left", camera_speed=0.2)) == 255
    assert motion_bucket(scene("left", 0.28, camera="zoom_in", camera_speed=0.185)) == 191
    buckets = [motion_bucket(one) for one in OneObject("test").scenes(range(60))]
    assert 0 <= min(buckets) < 60 and 200 < max(buckets) <= 255


def test_clips_are_the_scenes_of_the_image_model_at_eight_frames_per_second():
    found, stills = MovingObject("test", 3, 32).batch([4, 5]), OneObject("test", 2, 32).batch([4, 5])
    assert torch.equal(found["pixels"][:, :, ::2], stills.pixels) and found["captions"] == stills.captions
    assert found["motion"].shape == (2,)


class Noise:
    """Clips by number that show nothing."""

    key = "noise"

    def batch(self, indices):
        one = lambda index: torch.randn(16, 15, 4, 4, generator=torch.Generator().manual_seed(index))  # noqa: E731
        latents = torch.stack([one(index) for index in indices])
        return {"latents": latents, "states": torch.zeros(len(latents) + 1, 32, 384), "motion": torch.tensor(indices)}


def test_both_stages_run_and_only_what_is_new_goes_from_one_to_the_other(tmp_path):
    torch.manual_seed(0)
    IMAGE_RECIPE.build_model("ci").half().save_pretrained(tmp_path / "base")
    build = lambda preset: InflatedUNet.of(tmp_path / "base", in_channels=32, num_frames=8)  # noqa: E731
    own, weights = replace(RECIPE, data=lambda preset: Noise(), build_model=build, sheet=None), None
    for stage in ("main", "anneal"):
        options = {"settings": replace(RECIPE.stages[stage].settings["ci"], steps=2), "weights": weights, "quiet": True}
        place = train(own, "ci", stage=stage, folder=tmp_path / stage, **options)
        weights = read_weights(place)
        assert set(weights) == set(new_parameters(build("ci")))
        own = replace(own, measure=None)
    model = InflatedUNet.from_pretrained(place)
    assert model.config.num_frames == 8 and all(parameter.isfinite().all() for parameter in model.parameters())
    measured = [row for row in read_log(tmp_path / "main") if "large/motion" in row]
    assert set(measured[-1]) >= {f"{kind}/{name}" for kind in KINDS for name in (*JUDGED, "first_frame")}


def test_without_the_image_model_it_says_so_before_any_clip_is_drawn(monkeypatch):
    monkeypatch.setattr(recipe, "BASE", "no-such-image")
    monkeypatch.setattr(recipe, "captioned_clips", lambda *_: pytest.fail("clips were drawn"))
    with pytest.raises(WeightsError, match="no-such-image"):
        RECIPE.data("cpu")


def test_half_of_a_mixed_batch_has_eight_frames_and_half_fourteen():
    seen = []

    def model(sample, *_):
        seen.append(tuple(sample.shape[:2]))
        return type("Out", (), {"sample": sample[:, :, :16]})

    data, noise = Noise().batch(range(5)), KeyedNoise(0, range(5))
    found = mixed_loss(model, data, noise)["loss"]
    assert seen == [(2, 8), (3, 14)]
    parts = [
        compute_loss(model, Noise().batch(part), KeyedNoise(0, part), num_frames)["loss"] * len(part) / 5
        for part, num_frames in ((range(2), 8), (range(2, 5), 14))
    ]
    assert torch.isclose(found, sum(parts))


def test_test_clips_are_of_their_kind_with_many_frames_or_few():
    clips, few = asked("large", 6), sparse("large", 6)
    assert clips.pixels.shape == (6, 3, 14, 64, 64) and clips.fps == 8
    assert few.pixels.shape == (6, 3, 8, 64, 64) and few.fps == 4
    assert torch.equal(few.pixels[:, :, :7], clips.pixels[:, :, ::2]) and few.scenes == clips.scenes
    assert {scene.objects[0].size for scene in clips.scenes} == {"large"}


def test_measures_name_every_part_and_every_baseline(monkeypatch):
    monkeypatch.setitem(measures.SETTINGS, "small", 1)
    monkeypatch.setattr(measures, "animate", lambda model, clips, prompts, seed, **_: clips.clips())
    torch.manual_seed(0)
    model = build_model("ci")
    found = measures.measure(model, "small")
    rows = (*KINDS, "copy/large", "frame_by_frame/large", "spatial/large", "sparse")
    assert set(found) == {f"{row}/{name}" for row in rows for name in (*JUDGED, "first_frame")} | {
        f"shuffled/large/{name}" for name in JUDGED
    } | {"loss", "frame_by_frame/loss"}
    assert found["large/motion"] == found["sparse/motion"] == 1 and found["copy/large/motion"] == 0
    assert found["copy/large/first_frame"] > 30 and found["loss"] == found["frame_by_frame/loss"]
