"""The doubles of lab 03.1 are what they say."""

from types import SimpleNamespace

import pytest
import torch

from common.course.graders import animating
from common.course.graders.values import noise
from common.diffusion.image_to_video import condition_latents, svd_denoise, svd_sample


def test_the_oracles_are_the_librarys_parts():
    vae, pictures, eps = animating.Coder(), noise(0, 2, 3, 4, 6), noise(1, 2, 3, 4, 6)
    found = condition_latents(vae, pictures, 0.3, eps, guided=True)
    assert torch.allclose(found.double(), animating.coded(vae, pictures, 0.3, eps, True), atol=1e-5)
    given = noise(2, 2, 3, 4, 5, 6), torch.tensor([0.5, 3.0]), noise(3, 2, 3, 5, 6), noise(4, 2, 7, 8), noise(5, 2, 3)
    model = animating.Told().requires_grad_(False)
    assert torch.allclose(svd_denoise(model, *given).double(), animating.estimated(model, *given), atol=1e-5)
    guess, scale, sigmas = (
        animating.Guess(guided=True),
        torch.tensor([1.0, 2.0, 0.5, 3.0]),
        torch.tensor([4.0, 1.0, 0.0]),
    )
    for one, (sample, denoised, level) in zip(
        svd_sample(guess, given[0], sigmas, scale), animating.walked(guess, given[0], sigmas, scale), strict=True
    ):
        assert torch.allclose(one.sample.double(), sample, atol=1e-5) and torch.equal(one.level.double(), level)
        assert torch.allclose(one.denoised.double(), denoised, atol=1e-5)
    assert len(guess.asked) == 2 and len(model.asked) == 1 and len(vae.asked) == 1


def test_every_input_is_seen_by_the_model():
    model = animating.Told().requires_grad_(False)
    given = [noise(0, 2, 4, 6, 5, 3), torch.tensor([0.3, 0.8]), noise(1, 2, 7, 8), noise(2, 2, 3)]
    before = model.formula(*given)
    for k in range(4):
        changed = [value + 0.1 * (k == number) for number, value in enumerate(given)]
        assert not torch.allclose(model.formula(*changed), before)
    assert model(*given).sample.shape == (2, 4, 3, 5, 3)


def test_a_sampler_that_checks_too_early_or_not_at_all_is_refused():
    def early(*args):
        raise ValueError("at once")

    def never(*args):
        yield None

    for wrong, words in ((early, "before a step is drawn"), (never, "should raise ValueError")):
        with pytest.raises(AssertionError, match=words):
            animating.refuses(SimpleNamespace(svd_sample=wrong), "levels fall to 0", None)
