"""Paths, conversions, schedules and the loss: definitions, round trips, peers, and a Gaussian in closed form.

Two seconds.
"""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EDMEulerScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.training_utils import compute_density_for_timestep_sampling

from common.diffusion import convert, schedules
from common.diffusion.losses import draw_levels, flow_matching_loss, logit_normal
from common.diffusion.paths import Level, add_noise, ddpm_level, edm_level, flow_level, flow_target

sys.path.insert(0, str(Path(__file__).parent))
from known_gaussian import Gaussian

WORLD = Gaussian(mean=1.5, std=0.4)
ALPHAS = schedules.ddpm_alphas_cumprod()


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def levels(path: str) -> Level:
    """Four levels of a path, none at its very ends."""
    if path == "flow":
        return flow_level(torch.tensor([0.1, 0.4, 0.7, 0.95]))
    if path == "ddpm":
        return ddpm_level(torch.tensor([10, 300, 600, 990]), ALPHAS)
    return edm_level(torch.tensor([0.01, 0.5, 3.0, 60.0]))


# ------------------------------------------------------------------------------------------------ paths


def test_the_flow_path_is_straight_and_the_target_is_its_slope():
    x0, eps, s = random(2, 3, 4, 2, 2), random(2, 3, 4, 2, 2, seed=1), torch.tensor([0.25, 0.6])
    h = 0.1
    slope = (add_noise(x0, eps, flow_level(s + h)) - add_noise(x0, eps, flow_level(s))) / h
    assert torch.allclose(slope, flow_target(x0, eps), atol=1e-5)
    assert torch.equal(add_noise(x0, eps, flow_level(torch.zeros(2))), x0)
    assert torch.equal(add_noise(x0, eps, flow_level(torch.ones(2))), eps)


def test_the_noisy_clip_is_diffusers():
    x0, eps = random(3, 2, 4, 2, 2), random(3, 2, 4, 2, 2, seed=1)
    t = torch.tensor([0, 400, 999])
    wanted = DDPMScheduler().add_noise(x0, eps, t)
    assert torch.allclose(add_noise(x0, eps, ddpm_level(t, ALPHAS)), wanted, atol=1e-6)
    flow = FlowMatchEulerDiscreteScheduler()
    wanted = flow.scale_noise(x0, flow.timesteps[[5, 400, 900]], eps)
    assert torch.allclose(add_noise(x0, eps, flow_level(flow.sigmas[[5, 400, 900]])), wanted, atol=1e-6)


def test_a_level_a_frame():
    x0, eps = random(2, 3, 4, 2, 2), random(2, 3, 4, 2, 2, seed=1)
    s = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    noisy = add_noise(x0, eps, flow_level(s))
    for frame in range(4):
        alone = add_noise(x0[:, :, frame : frame + 1], eps[:, :, frame : frame + 1], flow_level(s[:, frame]))
        assert torch.equal(noisy[:, :, frame : frame + 1], alone)


# ------------------------------------------------------------------------------------------------ conversions


@pytest.mark.parametrize("path", ["flow", "ddpm", "edm"])
@pytest.mark.parametrize("kind", convert.KINDS)
def test_a_prediction_and_back(path, kind):
    level, x0, eps = levels(path), random(4, 3, 2, 2, 2), random(4, 3, 2, 2, 2, seed=1)
    found_x0, found_eps = convert.split(add_noise(x0, eps, level), convert.join(x0, eps, kind, level), kind, level)
    largest = float(torch.stack(level).max() / torch.stack(level).min())  # how far rounding is blown up
    assert torch.allclose(found_x0, x0, atol=1e-6 * largest + 1e-5)
    assert torch.allclose(found_eps, eps, atol=1e-6 * largest + 1e-5)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_what_a_prediction_stands_for_is_diffusers(kind):
    scheduler = DDIMScheduler(prediction_type=kind, clip_sample=False)
    scheduler.set_timesteps(1000)
    x, prediction, t = random(1, 2, 3, 2, 2), random(1, 2, 3, 2, 2, seed=1), torch.tensor([500])
    x0, _ = convert.split(x, prediction, kind, ddpm_level(t, ALPHAS))
    assert torch.allclose(x0, scheduler.step(prediction, 500, x).pred_original_sample, atol=1e-5)
    if kind == "v_prediction":
        eps = random(1, 2, 3, 2, 2, seed=2)
        wanted = scheduler.get_velocity(x, eps, t)
        assert torch.allclose(convert.join(x, eps, kind, ddpm_level(t, ALPHAS)), wanted, atol=1e-6)


@pytest.mark.parametrize("path", ["flow", "ddpm", "edm"])
def test_any_path_as_a_straight_one_and_back(path):
    level, x0, eps = levels(path), random(4, 3, 2, 2, 2), random(4, 3, 2, 2, 2, seed=1)
    x = add_noise(x0, eps, level)
    flow_x, s = convert.as_flow(x, level)
    assert torch.allclose(flow_x, add_noise(x0, eps, flow_level(s)), atol=1e-5)
    assert torch.allclose(convert.from_flow(flow_x, s, level), x, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("path, kind", [("ddpm", "epsilon"), ("ddpm", "v_prediction"), ("edm", "sample")])
def test_a_model_of_another_path_gives_the_flows_velocity(path, kind):
    """A Gaussian's best prediction, converted, is the velocity in closed form."""
    level, noise = levels(path), random(4, 3, 2, 2, 2)
    x = WORLD.at(level, noise)
    x0, eps = convert.split(x, WORLD.prediction(x, level, kind), kind, level)
    flow_x, s = convert.as_flow(x, level)
    wanted = WORLD.prediction(flow_x, flow_level(s), "velocity")
    assert torch.allclose(eps - x0, wanted, atol=2e-4)


def test_the_gaussians_velocity_in_closed_form():
    """(eps - x0) averaged over what may lie behind x: compared with a regression on a million draws."""
    s = torch.full((1_000_000,), 0.6)
    x0, eps = WORLD.mean + WORLD.std * random(1_000_000), random(1_000_000, seed=1)
    x = add_noise(x0, eps, flow_level(s))
    slope, offset = np.polyfit(x.double().numpy(), (eps - x0).double().numpy(), 1)
    at = torch.tensor([0.0, 1.0])
    first, second = WORLD.prediction(at, flow_level(s[:2]), "velocity").tolist()
    assert math.isclose(offset, first, abs_tol=0.01) and math.isclose(slope, second - first, abs_tol=0.01)


def test_edms_denoiser_is_diffusers():
    scheduler = EDMEulerScheduler(sigma_data=0.5)
    x = random(4, 2, 3, 2, 2)
    for sigma in (0.01, 0.7, 40.0):
        raw = lambda scaled, c_noise: torch.sin(scaled) + c_noise.reshape(-1, 1, 1, 1, 1)  # noqa: E731
        sigmas = torch.full((4,), sigma)
        scaled, c_noise = scheduler.precondition_inputs(x, sigmas[0]), scheduler.precondition_noise(sigmas)
        wanted = scheduler.precondition_outputs(x, raw(scaled, c_noise), sigmas[0])
        assert torch.allclose(convert.edm_denoise(raw, x, sigmas), wanted, atol=1e-4)


def test_the_slope_of_edms_flow():
    """Of a Gaussian: what `edm_derivative` says is how fast its curve changes with sigma."""
    noise, h = random(4, 1, 1, 2, 2).double(), 1e-5
    sigma = torch.tensor([0.1, 0.5, 2.0, 20.0], dtype=torch.float64)
    denoise = lambda x, sigma: WORLD.prediction(x, edm_level(sigma), "sample")  # noqa: E731
    slope = (WORLD.at(edm_level(sigma + h), noise) - WORLD.at(edm_level(sigma - h), noise)) / (2 * h)
    assert torch.allclose(convert.edm_derivative(denoise, WORLD.at(edm_level(sigma), noise), sigma), slope, atol=1e-6)


def test_kinds_that_are_none():
    one = torch.ones(1)
    for convert_it in (convert.split, convert.join):
        with pytest.raises(ValueError, match="'score'"):
            convert_it(one, one, "score", Level(one, one))


# ------------------------------------------------------------------------------------------------ schedules


@pytest.mark.parametrize("kind", schedules.BETAS)
def test_alphas_are_diffusers(kind):
    wanted = DDPMScheduler(beta_schedule=kind).alphas_cumprod
    assert torch.allclose(schedules.ddpm_alphas_cumprod(kind=kind), wanted, atol=1e-5)


@pytest.mark.parametrize("num_steps", [1, 7, 20, 50])
def test_timesteps_are_diffusers_trailing_ones(num_steps):
    scheduler = DDIMScheduler(timestep_spacing="trailing")
    scheduler.set_timesteps(num_steps)
    assert torch.equal(schedules.ddim_timesteps(num_steps), scheduler.timesteps)


def test_karras_sigmas_are_diffusers():
    scheduler = EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0)
    scheduler.set_timesteps(18)
    assert torch.allclose(schedules.karras_sigmas(18, 0.002, 80.0), scheduler.sigmas, rtol=1e-4)


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_the_shift_is_diffusers(shift):
    """Its scheduler shifts the sigmas that it is given, too: they go in unshifted."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=schedules.flow_levels(10)[:-1].tolist())
    assert torch.allclose(schedules.flow_levels(10, shift), scheduler.sigmas, atol=1e-6)


def test_shifts_are_undone_by_their_inverse():
    s = torch.linspace(0, 1, 11)
    assert torch.allclose(schedules.shift_levels(schedules.shift_levels(s, 3.0), 1 / 3), s, atol=1e-6)
    assert (schedules.shift_levels(s, 3.0)[1:-1] > s[1:-1]).all()


def test_given_frames_stay_clean():
    each = schedules.frame_levels(torch.tensor([1.0, 0.5, 0.0]), 3, num_clean=1)
    assert each.tolist() == [[0, 1, 1], [0, 0.5, 0.5], [0, 0, 0]]


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: schedules.flow_levels(0), "got 0"),
        (lambda: schedules.flow_levels(5, shift=0.0), r"got 0\.0"),
        (lambda: schedules.ddim_timesteps(1001), "1001"),
        (lambda: schedules.ddpm_alphas_cumprod(kind="cubic"), "'cubic'"),
        (lambda: draw_levels((3,), distribution="normal"), "'normal'"),
    ],
)
def test_schedules_that_cannot_be(call, said):
    with pytest.raises(ValueError, match=said):
        call()


# ------------------------------------------------------------------------------------------------ the loss


def test_the_loss_of_the_best_model_of_a_gaussian_is_its_variance():
    """What cannot be known of eps - x0 at s = 0.5 has a variance; a model that says 0 misses the mean as well."""
    n, c2 = 200_000, WORLD.std**2
    x0, eps, s = WORLD.mean + WORLD.std * random(n, 1), random(n, 1, seed=1), torch.full((n,), 0.5)
    best = lambda x, timestep: WORLD.prediction(x, flow_level(timestep / 1000), "velocity")  # noqa: E731
    unknown = (1 + c2) - (0.5 - 0.5 * c2) ** 2 / (0.25 * c2 + 0.25)  # var(v) - cov(v, x)² / var(x)
    assert abs(float(flow_matching_loss(best, x0, eps, s).mean()) - unknown) < 0.01
    zero = flow_matching_loss(lambda x, timestep: torch.zeros_like(x), x0, eps, s).mean()
    assert abs(float(zero) - (1 + c2 + WORLD.mean**2)) < 0.02


def test_the_model_is_asked_once_with_the_noisy_clip_and_a_thousand_times_the_level():
    x0, eps, s = random(2, 3, 4, 2, 2), random(2, 3, 4, 2, 2, seed=1), torch.rand(2, 4)
    asked = []

    def velocity(x, timestep):
        asked.append((x, timestep))
        return eps - x0

    assert flow_matching_loss(velocity, x0, eps, s).tolist() == [0, 0]
    [(x, timestep)] = asked
    assert torch.equal(x, add_noise(x0, eps, flow_level(s))) and torch.equal(timestep, 1000 * s)


def test_a_frame_that_is_given_counts_nothing():
    x0, eps, s = random(2, 3, 4, 2, 2), random(2, 3, 4, 2, 2, seed=1), torch.rand(2, 4)
    wrong = torch.zeros(2, 1, 4, 1, 1)
    wrong[:, :, 0] = 100.0
    wrong[:, :, 2] = 2.0
    velocity = lambda x, timestep: eps - x0 + wrong  # noqa: E731
    weights = torch.tensor([0.0, 1.0, 1.0, 1.0]).expand(2, 4)
    assert torch.allclose(flow_matching_loss(velocity, x0, eps, s, weights), torch.full((2,), 4 / 3))
    assert torch.allclose(flow_matching_loss(velocity, x0, eps, s), torch.full((2,), (100**2 + 2**2) / 4))
    each = torch.tensor([1.0, 2.0])  # one weight a sample: a mean over what counts
    assert torch.allclose(flow_matching_loss(velocity, x0, eps, s, each), torch.full((2,), (100**2 + 2**2) / 4))


def test_levels_are_distributed_as_diffusers():
    theirs = compute_density_for_timestep_sampling(
        "logit_normal", 100_000, logit_mean=0.3, logit_std=1.2, generator=torch.Generator().manual_seed(1)
    )
    ours = draw_levels((100_000,), torch.Generator().manual_seed(0), mean=0.3, std=1.2)
    parts = torch.linspace(0.05, 0.95, 7)
    assert torch.allclose(ours.quantile(parts), theirs.quantile(parts), atol=0.01)
    even = draw_levels((100_000,), torch.Generator().manual_seed(0), "uniform")
    assert torch.allclose(even.quantile(parts), parts, atol=0.01)
    assert logit_normal(torch.zeros(1)).item() == 0.5


def test_levels_come_from_the_generator_alone():
    draws = [draw_levels((3, 4), torch.Generator().manual_seed(7)) for _ in range(2)]
    assert torch.equal(*draws) and draws[0].shape == (3, 4)
