"""What `sprites-upscaler` is trained on and asked: pairs, loss, statistics, faults. Five seconds."""

from types import SimpleNamespace

import pytest
import torch

from common.models.autoencoder import CausalVideoVAE
from common.pipelines import TextToVideoPipeline
from common.training.keyed_noise import KeyedNoise
from common.zoo import upscaler_arm
from common.zoo.upscaler_arm import Pairs, build_model, diffusion_loss, statistics, upscaler_recipe
from common.zoo.upscaler_measures import bicubic
from common.zoo.upscaler_study import psnr_by_level, redrawn


class Numbered:
    """Latents whose value is 10 · clip + frame."""

    key = "numbered"
    latents = SimpleNamespace(num_samples=6)

    def batch(self, indices):
        clips = [10.0 * (i % 6) + torch.arange(5.0)[None, :, None, None].expand(16, 5, 2, 2) for i in indices]
        return {"latents": torch.stack(clips)}


@pytest.fixture
def plain(monkeypatch):
    """Statistics that change nothing."""
    known = {"condition_mean": [0.0] * 16, "sample_mean": [0.0] * 16,
             "condition_std": [1.0] * 16, "sample_std": [1.0] * 16}  # fmt: skip
    monkeypatch.setattr(upscaler_arm, "statistics", lambda: known)


def test_both_sides_of_a_pair_are_the_same_frames_of_the_same_clip(plain):
    for window, frames in ((None, 5), (2, 2)):
        batch = Pairs(Numbered(), Numbered(), window).batch([0, 3, 7])
        assert torch.equal(batch["condition"], batch["latents"]) and batch["latents"].shape[2] == frames
        assert (batch["latents"][:, 0, :, 0, 0] // 10)[:, 0].tolist() == [0, 3, 1]


def test_each_round_through_the_clips_shows_another_window(plain):
    data = Pairs(Numbered(), Numbered(), 2)
    starts = [data.batch([2 + 6 * k])["latents"][0, 0, 0, 0, 0].item() - 20 for k in range(4)]
    assert sorted(starts) == [0, 1, 2, 3]
    assert data.key != Pairs(Numbered(), Numbered()).key


def test_an_untrained_model_has_a_loss_of_one_on_what_the_guess_assumes():
    draw = torch.Generator().manual_seed(0)
    clean, rest = torch.randn(2, 4, 16, 3, 8, 8, generator=draw)
    batch = {"condition": clean, "latents": clean + 0.25 * rest}
    model = build_model("ci")
    for most_noise in (0.0, 0.5):
        loss = diffusion_loss(model, batch, KeyedNoise(0, range(4)), most_noise)["loss"]
        assert loss.item() == pytest.approx(1.0, rel=0.05)


def test_the_model_carries_the_statistics_and_the_arms_share_their_first_stage():
    assert [len(values) for values in statistics().values()] == [16] * 4
    mean, _ = build_model("ci").statistics("sample")
    assert mean.tolist() == pytest.approx(statistics()["sample_mean"])
    first, second = (upscaler_recipe(arm, "sprites-upscaler") for arm in ("augmented", "trusting"))
    assert first.compute_loss is second.compute_loss
    assert first.stages["whole"].compute_loss is not second.stages["whole"].compute_loss
    assert first.stages["whole"].settings == second.stages["whole"].settings


def test_bicubic_keeps_what_is_flat_and_mixes_no_frames():
    clip = torch.arange(3.0)[None, None, :, None, None].expand(1, 3, 3, 4, 4) / 4
    large = bicubic(clip)
    assert large.shape == (1, 3, 3, 8, 8) and torch.allclose(large[..., 0, 0], clip[..., 0, 0], atol=1e-6)


def test_a_clip_that_is_redrawn_still_shows_its_scene():
    """Nearer to the true clip than another one is, and not the true clip."""
    vae = CausalVideoVAE.from_pretrained("sprites-vae").float().eval()
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v", vae=vae)
    data = upscaler_arm.SpriteData("test", 5, 64)
    with torch.no_grad():
        small = vae.normalize(vae.encode(data.batch([1, 2]).clips()).latent_dist.mode())
    made = redrawn(pipe, small, data.batch([1, 2]).captions)
    own, other = (made - small).square().mean(), (made - small.flip(0)).square().mean()
    assert 0.001 < own < 0.5 * other
    assert torch.allclose(made[1:], redrawn(pipe, small[1:], data.batch([2]).captions, first=1), atol=1e-3)


def test_psnr_by_level_asks_at_every_level():
    class Enlarges:
        asked: list = []

        def __call__(self, small, first, noise_level):
            self.asked.append(noise_level)
            return small.repeat_interleave(2, dim=3).repeat_interleave(2, dim=4) + noise_level

        def pixels(self, latents):
            return latents

    small = torch.zeros(2, 3, 2, 4, 4)
    found = psnr_by_level(Enlarges(), small, torch.zeros(2, 3, 2, 8, 8), (0.2, 0.4))
    assert Enlarges.asked == [0.2, 0.4] and found["0.2"] == pytest.approx(20.0, abs=1e-4) and len(found) == 3
