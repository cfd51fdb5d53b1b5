"""EDM's preconditioning: the variances that it promises, and its limits."""

import pytest
import torch

from common.diffusion.convert import edm_denoise
from common.diffusion.preconditioning import edm_precondition


@pytest.mark.parametrize("sigma_data", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("sigma", [0.02, 0.5, 7.0])
def test_input_and_target_have_variance_one_and_no_other_skip_has_a_smaller_output(sigma, sigma_data):
    skip, out, enter, noise = edm_precondition(torch.tensor(sigma, dtype=torch.float64), sigma_data)
    assert torch.isclose(enter**2 * (sigma**2 + sigma_data**2), torch.ones_like(enter))

    def variance(skip):
        return (1 - skip) ** 2 * sigma_data**2 + skip**2 * sigma**2

    assert torch.isclose(out**2, variance(skip)) and out > 0
    assert variance(skip) < variance(skip + 0.01) and variance(skip) < variance(skip - 0.01)
    assert torch.isclose(noise, torch.tensor(sigma, dtype=torch.float64).log() / 4)


def test_the_denoiser_is_made_of_the_four_factors():
    sigma, x = torch.tensor([0.1, 3.0]), torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    skip, out, enter, noise = (factor[:, None, None, None] for factor in edm_precondition(sigma, 0.4))
    made = edm_denoise(lambda scaled, told: scaled.sin() + told[:, None, None, None], x, sigma, 0.4)
    assert torch.allclose(made, skip * x + out * ((enter * x).sin() + noise))
