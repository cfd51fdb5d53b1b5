"""The recipe and the measures of `sprites-t2v`, on a small autoencoder of random weights and made-up text states.

Fifteen seconds.
"""

import re
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import ImageChops

from common.data.sprites import SpriteData, is_held_out, parse, render, scene_of
from common.evaluation.sprite_reader import read_sprites
from common.models.autoencoder import PRESETS as VAE_PRESETS
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.pipelines import TextToVideoPipeline
from common.text import TextEncoder
from common.text.states import PackedStates
from common.training import KeyedNoise, train
from common.zoo.sprites_t2v import gallery, latents, measures, prompts, recipe


@pytest.fixture(scope="module")
def vae() -> CausalVideoVAE:
    torch.manual_seed(0)
    return CausalVideoVAE(**VAE_PRESETS["ci"], latents_mean=[0.2] * 16, latents_std=[1.5] * 16).eval()


def made_up(encoder, texts) -> dict[str, PackedStates]:
    """States that depend on the text alone; one token for each of its words, and one for each end."""
    streams = {text: torch.Generator().manual_seed(zlib.crc32(text.encode())) for text in texts}
    return {text: PackedStates.of(torch.randn(len(text.split()) + 2, 384, generator=g)) for text, g in streams.items()}


@pytest.fixture(autouse=True)
def small_world(vae, tmp_path, monkeypatch):
    """Its own cache, the small autoencoder in place of the shipped one, and a text encoder without weights."""
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(CausalVideoVAE, "from_pretrained", classmethod(lambda cls, name, **options: vae))
    monkeypatch.setattr(TextEncoder, "read", made_up)


@pytest.fixture
def data(vae) -> latents.CaptionedLatents:
    return latents.sprite_latents(num_clips=12, num_frames=5, size=32)


# ------------------------------------------------------------------------------------------------ data


def test_samples_are_normalised_latents_and_the_states_of_their_captions(data, vae):
    world = SpriteData(num_frames=5, size=32).batch([3, 7])
    batch = data.batch([3, 7])
    with torch.no_grad():
        wanted = vae.normalize(vae.encode(world.clips()).latent_dist.mode())
    assert torch.allclose(batch["latents"], wanted, atol=2e-3) and batch["latents"].dtype == torch.float32
    lengths = [len(caption.split()) + 2 for caption in world.captions]
    assert batch["mask"].sum(dim=1).tolist() == [*lengths, 2]  # the last text is the empty one
    assert torch.equal(batch["states"][1, : lengths[1]], TextEncoder.installed()([world.captions[1]]).states[0])


def test_clips_are_encoded_once(data, vae, monkeypatch):
    monkeypatch.setattr(vae, "encode", lambda clips: pytest.fail("encoded again"))
    again = latents.sprite_latents(num_clips=12, num_frames=5, size=32)
    assert torch.equal(again.batch([5])["latents"], data.batch([5])["latents"])
    assert again.key == data.key and "12 latents" in data.key


def test_no_training_clip_is_held_out():
    """By their captions: some of each part of the hundred thousand clips of the largest preset."""
    numbers = range(0, max(recipe.NUM_CLIPS.values()), 97)
    scenes = SpriteData().scenes(numbers)
    assert len(scenes) > 1000 and not any(is_held_out(scene) for scene in scenes)


def test_what_the_autoencoder_is_given_shows_nothing_that_is_held_out(vae, monkeypatch):
    """By the pixels that reach training, as the reader sees them: whatever is done to clips on the way is included."""
    given, encode = [], vae.encode
    monkeypatch.setattr(vae, "encode", lambda clips: given.append(clips) or encode(clips))
    made = latents.sprite_latents(num_clips=24, num_frames=17, size=64)
    clips, captions = torch.cat(given), made.latents.batch(range(24)).fields["captions"]
    assert len(clips) == 24 and not any(is_held_out(parse(caption)) for caption in captions)
    read = [reading.words for reading in read_sprites(clips) if reading.words]
    assert len(read) > 18 and not any(map(is_held_out, read))
    others = read_sprites(SpriteData("held_out", num_objects=1).batch(range(8)).clips())
    assert sum(is_held_out(reading.words) for reading in others if reading.words) > 5  # the reader would see it


# ------------------------------------------------------------------------------------------------ loss


@pytest.fixture
def asked():
    """What a model was asked."""
    return []


def perfect(asked, batch, eps):
    """A model that knows the answer."""

    def model(x, timestep, states, mask):
        asked.append(SimpleNamespace(x=x, timestep=timestep, states=states, mask=mask))
        return SimpleNamespace(sample=eps - batch["latents"])

    return model


def test_the_loss_asks_at_one_level_a_clip_and_gives_first_frames_and_drops_prompts(data, asked):
    indices = list(range(400))
    batch, noise = data.batch(indices), KeyedNoise(0, indices)
    eps = noise.normal("eps", batch["latents"].shape[1:])
    losses = recipe.compute_loss(perfect(asked, batch, eps), batch, noise)
    assert all(float(value) == 0 for value in losses.values())
    [call] = asked
    given = call.timestep[:, 0] == 0
    assert abs(float(given.float().mean()) - recipe.IMAGE_PART) < 0.06
    assert torch.equal(call.x[given][:, :, 0], batch["latents"][given][:, :, 0])  # clean
    assert torch.equal(call.timestep[~given][:, 0], call.timestep[~given][:, 1])
    dropped = call.mask.sum(dim=1) == 2
    assert abs(float(dropped.float().mean()) - recipe.NO_PROMPT_PART) < 0.05
    assert torch.equal(call.states[~dropped], batch["states"][:-1][~dropped])
    assert torch.equal(call.states[dropped], batch["states"][-1:].expand(int(dropped.sum()), -1, -1))


def test_a_first_frame_that_is_given_is_not_asked_for(data):
    """A model that is wrong there alone has no loss on images, and one on text."""
    indices = list(range(100))
    batch, noise = data.batch(indices), KeyedNoise(0, indices)
    wrong = noise.normal("eps", batch["latents"].shape[1:])
    wrong[:, :, 0] += 1.0
    losses = recipe.compute_loss(perfect([], batch, wrong), batch, noise)
    assert float(losses["image"]) == 0 and float(losses["text"]) == pytest.approx(0.5, abs=1e-4)  # one frame of two


# ------------------------------------------------------------------------------------------------ training, measures


def test_the_ci_preset_trains_measures_and_draws(tmp_path, monkeypatch):
    """Three steps; the weights that come out make clips. What they show is not looked at here."""
    monkeypatch.setitem(recipe.NUM_CLIPS, "ci", 8)
    settings = replace(recipe.RECIPE.stages["main"].settings["ci"], steps=3)
    folder = train(recipe.RECIPE, "ci", folder=tmp_path / "run", settings=settings, quiet=True)
    model = VideoDiT.from_pretrained(folder)
    assert model.config.dim == PRESETS["ci"]["dim"] and model.patches_out.weight.abs().max() > 0
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert '"two_objects/binding"' in lines[-1] and '"image"' in lines[-1]
    assert list((tmp_path / "run").rglob("*.png"))


def test_every_number_of_the_card_is_measured(vae, monkeypatch):
    monkeypatch.setitem(measures.SETTINGS, "tiny", 2)
    monkeypatch.setitem(measures.SAMPLER, "num_inference_steps", 1)
    torch.manual_seed(0)
    parts = []
    found = measures.measure(VideoDiT(**PRESETS["ci"]).eval(), "tiny", parts.append)
    sets = {name.rpartition("/")[0] for name in found}
    assert sets == {*prompts.EVALUATION, "image", "untrained/one_object",
                    *(f"{side}/{name}" for side in ("chance", "shuffled") for name in prompts.EVALUATION)}  # fmt: skip
    assert 0.1 < found["chance/one_object/shape"] < 0.25 and parts[-1] == 1 and parts == sorted(parts)
    assert found["one_object/shape"] == found["untrained/one_object/shape"]  # this one is untrained itself
    with pytest.raises(ValueError, match="'huge'"):
        measures.measure(None, "huge")


def test_a_clips_noise_is_its_numbers_alone():
    whole = [torch.randn(3, generator=seed) for seed in measures.seeds(0, 3)]
    (alone,) = (torch.randn(3, generator=seed) for seed in measures.seeds(2, 1))
    assert torch.equal(alone, whole[2]) and not torch.equal(whole[0], whole[1])


# ------------------------------------------------------------------------------------------------ the README's picture


def test_the_gallery_shows_a_clip_for_each_prompt_and_the_picture_that_was_given(monkeypatch):
    monkeypatch.setattr(gallery, "FROM_TEXT", prompts.SHOWN[1:2])
    made, image = gallery.clips(recipe.pipeline(VideoDiT(**PRESETS["ci"])), seed=0)
    assert list(made) == [prompts.SHOWN[1], gallery.FROM_IMAGE]
    seen = read_sprites(image[None, :, None].repeat(1, 1, 5, 1, 1))[0].objects[0]
    assert (seen.shape, seen.color) == ("square", "cyan")  # what the prompt says, drawn by the world itself
    picture = gallery.sheet(made, image)
    assert picture.width > gallery.NUM_SHOWN * gallery.WIDTH and picture.height > 2 * gallery.WIDTH
    other = gallery.sheet(made, -image)  # the given picture is in the sheet, at the beginning of the last row
    _, top, right, _ = ImageChops.difference(picture, other).getbbox()
    assert right < gallery.WIDTH * 1.5 and top > gallery.WIDTH


def test_the_gallery_refuses_a_clip_that_does_not_show_what_was_asked(monkeypatch, tmp_path):
    """The world's own clips pass; another prompt's, a still one, and one whose object is lost in frame 8 do not."""
    asked = (*gallery.FROM_TEXT, gallery.FROM_IMAGE)
    true = {prompt: render([scene_of(parse(prompt))]).clips()[0] for prompt in asked}
    assert gallery.faults(true) == []
    star, circle = asked[:2]
    still, lost, swapped = ({**true} for _ in range(3))
    still[star] = true[star][:, :1].expand(-1, 17, -1, -1)
    lost[star] = true[star].clone()
    lost[star][:, 8] = true[star][:, 8, :1, :1]  # the background alone
    swapped[star], swapped[circle] = true[circle], true[star]
    assert ["motion" in fault for fault in gallery.faults(still)] == [True]
    assert any("lost in frame 8" in fault for fault in gallery.faults(lost))
    assert len(gallery.faults(swapped)) >= 2

    monkeypatch.setattr(gallery, "clips", lambda pipe, seed: (lost, true[star][:, 0]))
    pipe = recipe.pipeline(VideoDiT(**PRESETS["ci"]))
    monkeypatch.setattr(gallery.TextToVideoPipeline, "from_pretrained", lambda name: pipe)
    monkeypatch.setattr("sys.argv", ["gallery", str(tmp_path / "gallery.png")])
    with pytest.raises(SystemExit, match="lost in frame 8"):
        gallery.main()
    assert not list(tmp_path.glob("*.png"))


def test_the_tutorials_clip_from_an_image_holds(monkeypatch, tmp_path):
    """The clip, seed and reader of phase 06's page, with the shipped weights: the reader objects to nothing."""
    monkeypatch.undo()  # the shipped autoencoder
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path))
    source = (Path(__file__).parents[2] / "phases/06_dit_flow_matching/02_steps_and_fresh_noise.py").read_text("utf-8")
    chosen, seed = (int(re.search(pattern, source)[1]) for pattern in (r"CHOSEN = (\d)", r"given, .*seeded\((\d)"))
    world = SpriteData("test", num_objects=1).batch([chosen])
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
    pipe.set_progress_bar_config(disable=True)
    clip = pipe(world.captions[0], world.clips()[0, :, 0], generator=seed).frames[0]
    assert gallery.faults({world.captions[0]: clip}) == []
