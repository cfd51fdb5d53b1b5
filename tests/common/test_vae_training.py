"""Training a small video VAE: the loss by clip, one step, a run made of such steps, and what the latents carry."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from common import layers
from common.evaluation.posterior import active_channels, channel_kl
from common.layers import Downsample, Upsample
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.models.large_vaes import LARGE, load_vae, tiny_vae
from common.training import TrainingError, read_log, read_weights, train
from common.training.budget import steps_in
from common.training.vae import reconstruction_loss, train_step
from common.zoo import from_pretrained, shelf
from common.zoo.sprites_vae_minute.measures import mean_frame_psnr, mean_psnr, moving_clips
from common.zoo.sprites_vae_minute.recipe import RECIPE
from common.zoo.sprites_vae_minute.studies import (
    WrongAxes,
    assembled,
    draw_channels,
    draw_curve,
    draw_gradient_shares,
    go_on,
    gradient_shares,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*size, generator=generator(seed))


# ------------------------------------------------------------------------------------------------ layers


def test_a_cell_is_what_reaches_a_coarse_place():
    """Downsample: one value of one cell moves one place, and every value of a cell moves it differently."""
    layer, x = Downsample(3, 64), noise(1, 3, 8, 4, 6)
    moved = []
    for place in [(0, 0, 0), (3, 1, 1), (2, 0, 1)]:
        changed = x.clone()
        changed[0, 1, 4 + place[0], place[1], 2 + place[2]] += 1
        difference = (layer(changed) - layer(x))[0]
        assert (difference.abs().amax(0) > 1e-6).nonzero().tolist() == [[1, 0, 1]]
        moved.append(difference[:, 1, 0, 1])
    assert not torch.allclose(moved[0], moved[1]) and not torch.allclose(moved[1], moved[2])


def test_up_undoes_down_where_one_matrix_is_the_other_ones_inverse():
    down, up, x = Downsample(2, 32), Upsample(32, 2), noise(2, 2, 8, 6, 4)
    with torch.no_grad():
        down.weight.copy_(torch.linalg.qr(noise(32, 32))[0][:, :, None, None, None])
        up.weight.copy_(down.weight[:, :, 0, 0, 0].T[:, :, None, None, None])
        up.bias.copy_(-up.weight[:, :, 0, 0, 0] @ down.bias)
    assert torch.allclose(up(down(x)), x, atol=1e-5)


# ------------------------------------------------------------------------------------------------ loss and step


def test_a_clip_weighs_by_its_root_and_not_by_its_square():
    target = torch.zeros(2, 3, 4, 5, 6)
    restored = torch.stack([torch.full((3, 4, 5, 6), 0.3), torch.full((3, 4, 5, 6), 0.1)])
    assert reconstruction_loss(restored, target).item() == pytest.approx(0.2, abs=1e-4)
    with pytest.raises(ValueError, match="shape"):
        reconstruction_loss(restored, target[:1])


def test_a_step_moves_a_model_towards_the_clip_and_says_what_it_paid():
    torch.manual_seed(0)
    model, clips = CausalVideoVAE(**PRESETS["ci"]), noise(2, 3, 5, 16, 16).clamp(-1, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    said = [train_step(model, optimizer, clips, generator()) for _ in range(12)]
    assert said[-1]["error"] < said[0]["error"] - 0.02
    for row in said:
        assert row["loss"] == pytest.approx(row["error"] + 3e-3 * row["kl"], rel=1e-5)
    kl = model.encode(clips).latent_dist.kl().mean().item() / clips[0].numel()
    assert train_step(model, optimizer, clips, generator())["kl"] == pytest.approx(kl, rel=1e-4)


def small_recipe(**changes):
    """The lab's recipe at its smallest, without looks."""
    return replace(RECIPE, sheet=None, measure=None, finish=None, **changes)


def test_a_stepped_run_that_was_stopped_ends_in_the_same_weights(tmp_path):
    """The steps of the run are the recipe's own, their number decides them, and a run goes on exactly."""
    recipe = small_recipe(data=lambda preset: Fixed())
    _, settings = recipe.at("main", "ci")
    settings = replace(settings, steps=6, checkpoint_every=3, batch_size=2)
    whole = read_weights(train(recipe, "ci", folder=tmp_path / "whole", settings=settings, quiet=True))
    train(recipe, "ci", folder=tmp_path / "parts", settings=replace(settings, steps=3), quiet=True)
    parts = read_weights(train(recipe, "ci", folder=tmp_path / "parts", settings=settings, quiet=True))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert {"loss", "error", "kl", "cpu_seconds"} <= set(read_log(tmp_path / "whole")[-1])


def test_a_stepped_run_stops_at_a_loss_that_is_no_number(tmp_path):
    recipe = small_recipe(data=lambda preset: Fixed(), step=lambda *arguments: {"loss": float("nan")})
    _, settings = recipe.at("main", "ci")
    with pytest.raises(TrainingError, match="loss not finite"):
        train(recipe, "ci", folder=tmp_path, settings=replace(settings, steps=2, batch_size=2), quiet=True)


class Fixed:
    """Clips of noise, by number."""

    key = "noise"

    def batch(self, indices):
        drawn = [torch.randint(0, 256, (3, 5, 16, 16), generator=generator(int(i))) for i in indices]
        return torch.stack(drawn).to(torch.uint8)


def test_a_budget_counts_its_steps():
    calls = []
    assert steps_in(lambda: calls.append(0), 0.001) == max(1, len(calls) - 1)
    assert steps_in(lambda: calls.append(0), 0.0) == 1


# ------------------------------------------------------------------------------------------------ the latents


def test_nats_of_channels_add_up_to_the_divergence_and_a_constant_channel_is_dead():
    mean, logvar = noise(3, 4, 2, 5, 6), noise(3, 4, 2, 5, 6, seed=1)
    total = DiagonalGaussian(torch.cat([mean, logvar], dim=1)).kl().mean()
    assert torch.allclose(channel_kl(mean, logvar).sum() * 2 * 5 * 6, total, rtol=1e-5)
    mean[:, 2] = 7.0
    assert active_channels(mean).tolist() == [True, True, False, True]
    assert active_channels(0.05 * mean).sum() == 0


# ------------------------------------------------------------------------------------------------ the weights


def test_the_minutes_weights_go_on_and_the_clips_move():
    clips = moving_clips(3)
    assert all((clip.diff(dim=1) != 0).any() for clip in clips) and clips.shape == (3, 3, 17, 64, 64)
    assert mean_frame_psnr(clips) < 40
    model = from_pretrained("sprites-vae-minute")
    before = mean_psnr(model, clips[:1])
    said = go_on(model.train(), train_step, 1, 1)
    assert said["error"] < 0.5 and mean_psnr(model, clips[:1]) != before
    curve = json.loads((shelf.folder("sprites-vae-minute") / "record.json").read_text())["curve"]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(curve))


def test_other_parts_get_the_weights_and_the_posterior_gets_the_moments():
    """A model made of other classes of the same names runs their code, on the shipped weights."""
    calls = []

    class FactorizedBlock(layers.FactorizedBlock):
        def forward(self, x, cache=None):
            calls.append(x.shape)
            return super().forward(x, cache)

    class Double(DiagonalGaussian):
        def mode(self):
            return 2 * self.mean

    shipped, clip = from_pretrained("sprites-vae-minute"), moving_clips(1)[:, :, :5]
    vae = assembled((FactorizedBlock,), Double).eval()
    vae.load_state_dict(shipped.state_dict())
    with torch.no_grad():
        doubled, plain = vae.encode(clip).latent_dist.mode(), shipped.encode(clip).latent_dist.mode()
        assert torch.allclose(doubled, 2 * plain) and len(calls) == 4
        assert torch.equal(vae.decode(plain).sample, shipped.decode(plain).sample) and len(calls) == 10


def test_over_the_wrong_axes_the_divergence_is_too_small_by_the_width():
    """What the loss averages, (B, W) or (B,), differs by the factor W."""
    moments = noise(2, 6, 3, 4, 7)
    wrong, right = WrongAxes(moments).kl(), DiagonalGaussian(moments).kl()
    assert wrong.shape == (2, 7) and torch.allclose(7 * wrong.mean(), right.mean())


def test_with_a_root_per_clip_all_clips_weigh_the_same_in_the_gradient():
    """With squares, a clip whose motion is twice as strong weighs twice as much."""
    clip = noise(1, 3, 4, 6, 5)
    clips = torch.cat([clip, 2 * clip, 4 * clip])
    losses = {"squares": torch.nn.functional.mse_loss, "by clip": reconstruction_loss}
    assert torch.allclose(gradient_shares(losses["squares"], clips), torch.tensor([1.0, 2.0, 4.0]) / 7)
    assert torch.allclose(gradient_shares(losses["by clip"], clips), torch.full((3,), 1 / 3), atol=1e-4)
    heights = [bar.get_height() for bar in draw_gradient_shares(losses, clips).axes[0].patches]
    assert heights == pytest.approx([1 / 7, 2 / 7, 4 / 7, 1 / 3, 1 / 3, 1 / 3], abs=1e-4)


def test_the_figures_show_what_they_are_given():
    lines = draw_channels({"one": torch.tensor([1.0, 3.0, 2.0]), "other": torch.zeros(3)}, "title").axes[0].lines
    assert [line.get_label() for line in lines] == ["one", "other"] and list(lines[0].get_ydata()) == [3, 2, 1]
    lines = draw_curve([(1, 10), (2, 20)], [(3, 30)], baseline=15.0, shipped=35.0).axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[10, 20], [30], [15, 15], [35, 35]]


# ------------------------------------------------------------------------------------------------ large ones


@pytest.mark.parametrize("name", LARGE)
def test_the_large_ones_take_the_same_calls(name):
    torch.manual_seed(0)
    model, clip = tiny_vae(name), noise(1, 3, 9, 32, 32).clamp(-1, 1)
    with torch.no_grad():
        dist = model.encode(clip).latent_dist
        assert dist.mode().shape == (1, 4, 3, 4, 4)
        assert model.decode(dist.mode()).sample.shape == clip.shape
        assert dist.kl().shape == (1, 4)  # the trap: one axis is left over
    assert sum(p.numel() for p in model.parameters()) < 200_000


def test_the_large_ones_are_named_and_their_weights_said_to_be_missing(tmp_path):
    with pytest.raises(ValueError, match="wan, hunyuan, cogvideox"):
        tiny_vae("sora")
    with pytest.raises(OSError):
        load_vae("wan", str(tmp_path))
