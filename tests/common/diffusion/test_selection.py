"""Which of several samples a model finds the most likely, in a world where that is known.

One second.
"""

import sys
from pathlib import Path

import pytest
import torch

from common.diffusion.guidance import Guidance
from common.diffusion.paths import beside, flow_level
from common.diffusion.selection import denoising_errors, lowest

sys.path.insert(0, str(Path(__file__).parent))
from known_gaussian import Gaussian

WORLD = Gaussian(mean=0.0, std=0.5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shifted(x: torch.Tensor, s: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """The best velocity where a prompt is a mean `(B,)` of the data."""
    x = x - beside(flow_level(s).signal, x) * beside(mean, x)
    return WORLD.prediction(x, flow_level(s), "velocity") - beside(mean, x)


def guidance(means: list[float], scale: float) -> Guidance:
    return Guidance(shifted, (torch.tensor(means),), (torch.zeros(len(means)),), scale)


def clips(*means: float) -> torch.Tensor:
    noise = torch.randn(len(means), 2, 3, 4, 4, generator=seeded(1))
    return torch.tensor(means)[:, None, None, None, None] + 0.5 * noise


def test_a_likely_sample_is_denoised_better():
    errors = denoising_errors(guidance([1.0] * 3, 1.0), clips(4.0, 1.0, -2.0), generator=seeded())
    assert errors.shape == (3,) and errors[1] < 0.5 * errors[0] and errors[1] < 0.5 * errors[2]


def test_guidance_prefers_what_only_the_prompt_explains():
    """1 and -1 are as likely without a prompt; 1.5 and 0.5 with the prompt 1."""
    plain = denoising_errors(guidance([1.0, 1.0], 1.0), clips(1.5, 0.5), generator=seeded())
    guided = denoising_errors(guidance([1.0, 1.0], 4.0), clips(1.5, 0.5), generator=seeded())
    assert guided[0] - guided[1] < plain[0] - plain[1] - 0.1


def test_it_is_the_trainings_loss_written_out():
    """One level, one draw: the mean squared error of the velocity, with the prompt and without."""
    x0 = clips(0.3, 1.2)
    eps = torch.randn(x0.shape[1:], generator=seeded(5)).expand_as(x0)
    noisy, level = 0.2 * x0 + 0.8 * eps, torch.full((2,), 0.8)
    loss = lambda mean: (shifted(noisy, level, torch.full((2,), mean)) - (eps - x0)).square().flatten(1).mean(1)  # noqa: E731
    wanted = loss(0.0) + 2.5 * (loss(1.0) - loss(0.0))
    found = denoising_errors(guidance([1.0, 1.0], 2.5), x0, [0.8], 1, generator=seeded(5))
    assert torch.allclose(found, wanted, atol=1e-5)


def test_given_frames_get_no_noise_and_do_not_count():
    asked = []

    def predict(x, s, mean):
        asked.append((x, s))
        return shifted(x, s, mean)

    x0 = clips(1.0, 1.0)
    made = torch.tensor([[False, True, True]] * 2)
    guided = Guidance(predict, (torch.ones(2),), (torch.zeros(2),), 1.0)
    found = denoising_errors(guided, x0, weights=made, generator=seeded())
    assert all(torch.equal(x[:, :, 0], x0[:, :, 0]) and (s[:, 0] == 0).all() and (s[:, 1:] > 0).all() for x, s in asked)
    x0[:, :, 0] = 9.0
    assert torch.allclose(denoising_errors(guided, x0, weights=made, generator=seeded()), found)


def test_the_lowest_of_each_group():
    samples = torch.arange(6.0)[:, None]
    assert lowest(samples, torch.tensor([3.0, 1.0, 2.0, 0.0, 5.0, 4.0]), 3).tolist() == [[1.0], [3.0]]
    with pytest.raises(ValueError, match="6 samples are no groups of 4"):
        lowest(samples, torch.zeros(6), 4)
