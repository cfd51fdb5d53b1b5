"""The study of quantizers on patches: cutting is undone, runs differ in the quantizer alone, and learning is seen."""

import pytest
import torch

from common.data.sprites import SpriteData
from common.zoo.sprites_fsq import patch_study as study


@pytest.fixture(scope="module")
def cut():
    return study.sprite_patches(4), study.sprite_patches(2, "held_out")


def whole(z):
    """No quantizer: the numbers themselves."""
    return z, torch.zeros(len(z), dtype=torch.int64), 0.0


def test_patches_put_back_are_every_fourth_frame():
    clips = SpriteData("test", 9, 32).batch([3]).clips()
    assert torch.equal(study.pictures(study.patches(clips), 32, 32), clips[0, :, ::4])


def test_every_run_begins_with_the_same_weights_and_leaves_the_random_state_alone():
    state = torch.get_rng_state()
    first, again = (study.PatchCoder(3, seed=5).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.0.weight"], study.PatchCoder(3, seed=6).state_dict()["encoder.0.weight"])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_run_beats_the_mean_patch_and_a_cut_gradient_leaves_the_encoder_where_it_was(cut):
    run = study.train_patches(whole, 4, *cut, steps=60)
    assert run.psnr > study.mean_patch_psnr(*cut) + 3 and run.moved > 0.01
    assert run.restored.shape == cut[1].shape and run.tokens.shape == (len(cut[1]),)
    stuck = study.train_patches(lambda z: whole(z.detach()), 4, *cut, steps=5)
    assert stuck.moved == 0


def test_the_extra_loss_reaches_the_encoder(cut):
    pulled = study.train_patches(lambda z: (z.detach(), whole(z)[1], 100 * z.square().mean()), 2, *cut, steps=5)
    assert pulled.moved > 0


def test_psnr_of_zeros_against_ones_is_that_of_half_the_range():
    assert study.patch_psnr(torch.zeros(3, 192), torch.ones(3, 192)) == pytest.approx(6.0206, abs=1e-3)


def test_figures_have_one_axis_for_each_frame_and_each_function():
    assert len(study.draw_tokens(torch.rand(4, 5, 8, 8) * 2 - 1, "title").axes) == 5
    figure = study.draw_steps({"a": torch.tanh, "b": lambda z: 3 * torch.tanh(z)}, "title")
    assert [axis.get_title() for axis in figure.axes] == ["a: 3 levels", "b: 7 levels"]
