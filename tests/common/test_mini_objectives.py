"""Arms of the `mini` world with other targets: an oracle has no loss, and `as_velocity` is exact for it."""

import pytest
import torch
from diffusers.utils import BaseOutput

from common.diffusion.convert import join
from common.diffusion.paths import add_noise, ddpm_level, flow_level
from common.training.keyed_noise import KeyedNoise
from common.zoo import mini_objectives
from common.zoo.mini_arm import ARMS
from common.zoo.mini_objectives import alphas_cumprod, as_velocity

X0 = torch.randn(5, 2, 3, 4, 2, generator=torch.Generator().manual_seed(0))
BATCH = {"latents": X0, "states": torch.arange(6.0)[:, None, None], "mask": torch.ones(6, 1, dtype=torch.bool)}


def oracle(kind, x0=X0):
    """A model that knows the data: of DDPM's path, at whole timesteps."""

    def model(x, timestep, *prompt):
        level = ddpm_level(timestep.round().long(), alphas_cumprod())
        a, b = (values[:, None, None, None, None] for values in level)
        return BaseOutput(sample=join(x0, (x - a * x0) / b, kind, level))

    return model


@pytest.mark.parametrize(("name", "kind"), [("epsilon", "epsilon"), ("v", "v_prediction")])
def test_the_loss_of_a_model_that_knows_the_data_is_zero_on_ddpms_path(name, kind):
    noise = KeyedNoise(3, range(5))
    assert ARMS[name]["compute_loss"](oracle(kind), BATCH, noise)["loss"] < 1e-6
    wrong = {"epsilon": "v_prediction", "v_prediction": "epsilon"}[kind]
    assert ARMS[name]["compute_loss"](oracle(wrong), BATCH, noise)["loss"] > 0.1


def test_uniform_levels_are_uniform_and_the_velocity_is_their_target():
    seen, noise = [], KeyedNoise(0, range(400))
    x0 = torch.randn(400, 1, 1, 2, 2)
    eps = noise.normal("eps", x0.shape[1:])

    def model(x, timestep, states, mask):
        seen.append(timestep / 1000)
        torch.testing.assert_close(x, add_noise(x0, eps, flow_level(seen[0])))
        return BaseOutput(sample=eps - x0)

    batch = {"latents": x0, "states": torch.zeros(401, 1, 1), "mask": torch.ones(401, 1, dtype=torch.bool)}
    assert mini_objectives.uniform_loss(model, batch, noise)["loss"] < 1e-10
    quarters = torch.histc(seen[0], 4, 0, 1)
    assert quarters.min() > 70 and quarters.max() < 130


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_a_model_of_ddpms_path_is_asked_at_the_same_ratio_and_gives_the_velocity(kind):
    timesteps = torch.tensor([20, 300, 555, 800, 985])
    a, b = ddpm_level(timesteps, alphas_cumprod())
    s = b / (a + b)
    eps = torch.randn(X0.shape, generator=torch.Generator().manual_seed(1))
    found = as_velocity(oracle(kind), kind)(add_noise(X0, eps, flow_level(s)), 1000 * s).sample
    torch.testing.assert_close(found, eps - X0, atol=2e-2, rtol=1e-3)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_pure_noise_gives_a_finite_velocity(kind):
    found = as_velocity(oracle(kind), kind)(torch.ones_like(X0), torch.full((5,), 1000.0)).sample
    assert found.isfinite().all() and found.abs().max() < 20
