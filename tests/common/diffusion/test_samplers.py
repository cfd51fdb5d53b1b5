"""Samplers: step by step diffusers' schedulers, and a Gaussian's own flow. Guidance: a formula and two calls in one.

Two seconds.
"""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    EDMEulerScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    HeunDiscreteScheduler,
)

from common.diffusion import schedules
from common.diffusion.convert import as_flow, edm_derivative, from_flow, join, split
from common.diffusion.guidance import Guidance
from common.diffusion.paths import beside, ddpm_level, edm_level, flow_level
from common.diffusion.samplers import ddim, euler, heun, last, stochastic

sys.path.insert(0, str(Path(__file__).parent))
from known_gaussian import Gaussian

WORLD = Gaussian(mean=1.5, std=0.4)
ALPHAS = schedules.ddpm_alphas_cumprod()


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def bent(x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """A derivative without any symmetry that a wrong sampler could hide behind."""
    return torch.sin(2 * x) - 0.3 * x + beside(level, x).cos()


def gaussian_velocity(x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return WORLD.prediction(x, flow_level(s), "velocity")


# ------------------------------------------------------------------------------------------------ peers


def assert_same_samples(steps, wanted: list[torch.Tensor]) -> None:
    found = [step.sample for step in steps]
    assert len(found) == len(wanted) > 1
    for ours, theirs in zip(found, wanted, strict=True):
        assert (ours - theirs).abs().max() < 1e-5 * max(1.0, float(theirs.abs().max()))


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_euler_is_diffusers_flow_matching_step_by_step(shift):
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=schedules.flow_levels(9)[:-1].tolist())
    x, wanted = noise(2, 3, 4, 2, 2), []
    for t in scheduler.timesteps:
        v = bent(wanted[-1] if wanted else x, (t / 1000).expand(2))
        wanted.append(scheduler.step(v, t, wanted[-1] if wanted else x).prev_sample)
    assert_same_samples(euler(bent, x, schedules.flow_levels(9, shift)), wanted)


def test_stochastic_is_diffusers_flow_matching_with_fresh_noise_step_by_step():
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0, stochastic_sampling=True)
    scheduler.set_timesteps(sigmas=schedules.flow_levels(9)[:-1].tolist())
    x, wanted, theirs = noise(2, 3, 4, 2, 2), [], torch.Generator().manual_seed(5)
    for t in scheduler.timesteps:
        now = wanted[-1] if wanted else x
        wanted.append(scheduler.step(bent(now, (t / 1000).expand(2)), t, now, generator=theirs).prev_sample)
    ours = torch.Generator().manual_seed(5)
    assert_same_samples(stochastic(bent, x, schedules.flow_levels(9, 3.0), generator=ours), wanted)


def test_heun_is_diffusers_flow_matching_step_by_step():
    """Its schedule has every level twice, one for each order."""
    scheduler = FlowMatchHeunDiscreteScheduler(shift=2.0)
    scheduler.set_timesteps(8)
    levels = torch.unique(scheduler.sigmas).flip(0)
    x = start = noise(2, 3, 4, 2, 2)
    wanted = []
    for t in scheduler.timesteps:
        x = scheduler.step(bent(x, (t / 1000).expand(2)), t, x).prev_sample
        if scheduler.state_in_first_order:  # both orders of this step are done
            wanted.append(x)
    wanted.append(x)  # the last step has one order only
    assert_same_samples(heun(bent, start, levels), wanted)


def test_euler_is_diffusers_edm_step_by_step():
    scheduler = EDMEulerScheduler(sigma_max=10.0)
    scheduler.set_timesteps(9)
    sigmas = schedules.karras_sigmas(9, 0.002, 10.0)
    raw = lambda scaled, c_noise: torch.sin(scaled) + beside(c_noise, scaled)  # noqa: E731
    x, wanted = 10 * noise(2, 3, 4, 2, 2), []
    for t in scheduler.timesteps:
        now = wanted[-1] if wanted else x
        out = raw(scheduler.scale_model_input(now, t), t.expand(2))
        wanted.append(scheduler.step(out, t, now).prev_sample)

    def denoise(x, sigma):
        total = beside((sigma**2 + 0.25).sqrt(), x)
        return 0.25 / total**2 * x + beside(sigma, x) * 0.5 / total * raw(x / total, sigma.log() / 4)

    assert_same_samples(euler(partial(edm_derivative, denoise), x, sigmas), wanted)


def test_heun_is_diffusers_edm_step_by_step():
    scheduler = HeunDiscreteScheduler(use_karras_sigmas=True, beta_start=1e-4, beta_end=5e-3, beta_schedule="linear")
    scheduler.set_timesteps(7)
    sigmas = torch.cat([torch.unique(scheduler.sigmas[:-1]).flip(0), torch.zeros(1)])
    x = start = sigmas[0] * noise(2, 3, 4, 2, 2)
    wanted = []
    for t in scheduler.timesteps:
        scheduler.scale_model_input(x, t)  # finds the place in the schedule
        at = scheduler.step_index
        x = scheduler.step(bent(x, scheduler.sigmas[at].expand(2)), t, x).prev_sample  # there, epsilon is the slope
        if scheduler.state_in_first_order:
            wanted.append(x)
    wanted += [x] if len(wanted) < len(sigmas) - 1 else []
    assert_same_samples(heun(bent, start, sigmas), wanted)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_ddim_is_diffusers_step_by_step(kind):
    """Without its clipping, which is on unless told otherwise."""
    scheduler = DDIMScheduler(prediction_type=kind, clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(10)
    predict = lambda x, t: torch.sin(x + beside(t, x) / 300)  # noqa: E731
    x, wanted = noise(2, 3, 4, 2, 2), []
    for t in scheduler.timesteps:
        now = wanted[-1] if wanted else x
        wanted.append(scheduler.step(predict(now, t.expand(2)), t, now).prev_sample)
    assert_same_samples(ddim(predict, x, schedules.ddim_timesteps(10), ALPHAS, kind), wanted)


# ------------------------------------------------------------------------------------------------ a Gaussian


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_with_the_exact_velocity_a_gaussian_comes_back(shift):
    found = last(euler(gaussian_velocity, noise(4000, 1, 1, 2, 2), schedules.flow_levels(200, shift)))
    assert abs(found.mean() - WORLD.mean) < 0.01 and abs(found.std() - WORLD.std) < 0.01


@pytest.mark.parametrize("sampler, order", [(euler, 1), (heun, 2)])
def test_every_sample_ends_where_its_flow_does_at_the_samplers_order(sampler, order):
    """Noise z flows to mean + std · z. With twice the steps the error falls to half (Euler) or a quarter (Heun)."""
    z = noise(50, 1, 1, 2, 2)
    wanted = WORLD.at(flow_level(torch.zeros(50)), z)
    errors = [
        float((last(sampler(gaussian_velocity, z, schedules.flow_levels(n))) - wanted).abs().max()) for n in (40, 80)
    ]
    assert errors[1] < 0.05 and 2**order * 0.8 < errors[0] / errors[1] < 2**order * 1.25


def test_stochastic_without_fresh_noise_is_euler():
    x, levels = noise(2, 3, 4, 2, 2), schedules.flow_levels(6, 2.0)
    wanted = [step.sample for step in euler(bent, x, levels)]
    assert_same_samples(stochastic(bent, x, levels, eta=0.0), wanted)


@pytest.mark.parametrize("eta", [0.3, 0.8])
def test_part_of_the_noise_is_drawn_anew(eta):
    """Where the data are known, 0, the sample is its noise: so much of the old as leaves the variance at 1."""
    known = lambda x, s: x / beside(s, x)  # noqa: E731
    x, levels = noise(50, 1, 4, 8, 8), torch.tensor([1.0, 0.5, 0.0])
    step = next(iter(stochastic(known, x, levels, eta, torch.Generator().manual_seed(1))))
    old = (step.sample / 0.5 * x).mean() / x.square().mean()
    assert abs(old - (1 - eta**2) ** 0.5) < 0.02 and abs((step.sample / 0.5).std() - 1) < 0.02


def test_fresh_noise_is_each_samples_own():
    """With a generator for each, a sample does not depend on those beside it."""
    x, levels = noise(3, 3, 4, 2, 2), schedules.flow_levels(5)
    seeds = lambda *numbers: [torch.Generator().manual_seed(n) for n in numbers]  # noqa: E731
    together = last(stochastic(bent, x, levels, generator=seeds(7, 8, 9)))
    assert torch.allclose(last(stochastic(bent, x[1:2], levels, generator=seeds(8))), together[1:2], atol=1e-6)


@pytest.mark.parametrize("eta", [-0.1, 1.1])
def test_eta_is_a_part(eta):
    with pytest.raises(ValueError, match=f"from 0 to 1, got {eta}"):
        list(stochastic(bent, noise(1, 1, 1, 2, 2), schedules.flow_levels(2), eta))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_ddim_rescaled_is_euler_along_the_straight_path(kind):
    """One model, any timesteps: the samples of the two are the same points, up to their scale."""
    timesteps, x = torch.tensor([930, 700, 420, 80]), noise(2, 3, 4, 2, 2)
    levels = [as_flow(x, ddpm_level(t.expand(2), ALPHAS))[1] for t in timesteps]
    asked = dict(zip((float(s[0]) for s in levels), timesteps))

    def velocity(x, s):
        here = asked[float(s[0])].expand(2)
        level = ddpm_level(here, ALPHAS)
        noisy = from_flow(x, s, level)
        return join(*split(noisy, bent(noisy, here / 1000), kind, level), "velocity", level)

    steps = list(ddim(lambda x, t: bent(x, t / 1000), x, timesteps, ALPHAS, kind))
    start, _ = as_flow(x, ddpm_level(timesteps[:1].expand(2), ALPHAS))
    path = list(euler(velocity, start, torch.stack([s[0] for s in levels] + [torch.zeros(())])))
    for k, (one, other) in enumerate(zip(steps, path, strict=True)):
        level = ddpm_level(timesteps[k + 1].expand(2), ALPHAS) if k < 3 else flow_level(torch.zeros(2))
        assert (as_flow(one.sample, level)[0] - other.sample).abs().max() < 1e-5 * max(1, other.sample.abs().max())


def test_edm_and_ddim_end_there_too():
    z = noise(50, 1, 1, 2, 2)
    wanted = WORLD.at(flow_level(torch.zeros(50)), z)
    denoise = lambda x, sigma: WORLD.prediction(x, edm_level(sigma), "sample")  # noqa: E731
    sigmas = schedules.karras_sigmas(60, 0.002, 80.0)
    start = WORLD.at(edm_level(sigmas[:1].expand(50)), z)
    assert torch.allclose(last(heun(partial(edm_derivative, denoise), start, sigmas)), wanted, atol=0.01)
    predict = lambda x, t: WORLD.prediction(x, ddpm_level(t, ALPHAS), "epsilon")  # noqa: E731
    timesteps = schedules.ddim_timesteps(500)
    start = WORLD.at(ddpm_level(timesteps[:1].expand(50), ALPHAS), z)
    assert torch.allclose(last(ddim(predict, start, timesteps, ALPHAS)), wanted, atol=0.02)


def test_each_step_tells_what_it_takes_for_the_data():
    """On a straight flow, data that are one point, the first guess is right, and every later one."""
    point = noise(2, 3, 4, 2, 2, seed=1)
    velocity = lambda x, s: (x - point) / beside(s, x)  # noqa: E731
    for sampler in (euler, heun, stochastic):
        steps = list(sampler(velocity, noise(2, 3, 4, 2, 2), schedules.flow_levels(5)))
        assert all(torch.allclose(step.denoised, point, atol=1e-5) for step in steps)
        assert torch.allclose(steps[-1].sample, point, atol=1e-5)
        assert [step.index for step in steps] == [0, 1, 2, 3, 4]
        assert torch.allclose(torch.stack([step.level[0] for step in steps]), torch.tensor([1, 0.8, 0.6, 0.4, 0.2]))


# ------------------------------------------------------------------------------------------------ schedules of frames


@pytest.mark.parametrize("sampler", [euler, heun])
def test_given_frames_stay_to_the_bit_and_the_others_flow(sampler):
    x = noise(3, 2, 4, 2, 2)
    each = schedules.frame_levels(schedules.flow_levels(30), 4, num_clean=2)
    asked = []

    def velocity(x, s):
        asked.append(s)
        return gaussian_velocity(x, s)

    found = last(sampler(velocity, x, each))
    assert torch.equal(found[:, :, :2], x[:, :, :2])
    alone = last(sampler(gaussian_velocity, x[:, :, 2:], schedules.flow_levels(30)))
    assert torch.allclose(found[:, :, 2:], alone, atol=1e-6)
    assert all(s.shape == (3, 4) and (s[:, :2] == 0).all() for s in asked)


def test_given_frames_stay_to_the_bit_beside_fresh_noise():
    x = noise(3, 2, 4, 2, 2)
    each = schedules.frame_levels(schedules.flow_levels(5), 4, num_clean=2)
    steps = list(stochastic(gaussian_velocity, x, each, generator=torch.Generator().manual_seed(1)))
    assert all(torch.equal(step.sample[:, :, :2], x[:, :, :2]) for step in steps)
    assert not torch.allclose(steps[0].sample[:, :, 2:], next(iter(euler(gaussian_velocity, x, each))).sample[:, :, 2:])


def test_the_model_is_asked_as_often_as_it_costs():
    calls = []

    def velocity(x, s):
        calls.append(s)
        return gaussian_velocity(x, s)

    last(euler(velocity, noise(1, 1, 1, 2, 2), schedules.flow_levels(6)))
    assert len(calls) == 6 and all(s.shape == (1,) for s in calls)
    calls.clear()
    last(heun(velocity, noise(1, 1, 1, 2, 2), schedules.flow_levels(6)))
    assert len(calls) == 11


def test_steps_come_one_at_a_time():
    """A generator: who stops after two steps has paid for two."""
    calls = []
    steps = euler(lambda x, s: calls.append(s) or bent(x, s), noise(1, 1, 1, 2, 2), schedules.flow_levels(50))
    next(steps), next(steps)
    assert len(calls) == 2


def test_the_state_is_float32_whatever_comes_in():
    x = noise(1, 1, 1, 2, 2).bfloat16()
    for step in euler(lambda x, s: x.bfloat16(), x, schedules.flow_levels(3)):
        assert step.sample.dtype == step.denoised.dtype == torch.float32


@pytest.mark.parametrize("levels", [[0.0, 1.0], [1.0, 0.5], [[1.0, 0.0], [0.5, 0.1], [0.0, 0.0]]])
def test_levels_that_do_not_fall_to_zero(levels):
    with pytest.raises(ValueError, match="fall to 0"):
        last(euler(bent, noise(1, 1, 2, 2, 2), torch.tensor(levels)))


def test_no_step_is_no_sample():
    with pytest.raises(ValueError, match="at least one step"):
        last(euler(bent, noise(1, 1, 1, 2, 2), torch.zeros(1)))


# ------------------------------------------------------------------------------------------------ guidance


@pytest.mark.parametrize("level_shape", [(2,), (2, 4)])
@pytest.mark.parametrize("scale", [0.0, 1.0, 2.5, 7.0])
def test_guidance_is_its_formula(scale, level_shape):
    x, level = noise(2, 3, 4, 2, 2), torch.rand(level_shape)
    prompt, mask = noise(2, 5, 8, seed=1), torch.ones(2, 5)
    empty, no_mask = noise(2, 5, 8, seed=2), torch.zeros(2, 5)
    batches = []

    def predict(x, level, states, mask):
        batches.append(len(x))
        assert len(x) == len(level) == len(states) == len(mask)
        number = states.mean(dim=(1, 2)) + mask.mean(dim=1)
        return torch.sin(x + beside(level, x) * number.reshape(-1, 1, 1, 1, 1))

    found = Guidance(predict, (prompt, mask), (empty, no_mask), scale)(x, level)
    assert batches == ([2] if scale == 1 else [4])
    cond, uncond = predict(x, level, prompt, mask), predict(x, level, empty, no_mask)
    assert torch.allclose(found, uncond + scale * (cond - uncond), atol=1e-5)
    if scale == 1:
        assert torch.equal(found, cond)


def test_guidance_in_a_sampler_moves_a_gaussian_further():
    """Two worlds that differ in their mean: with g = 2 the mean ends as far beyond the prompt's as that is from 0."""

    def predict(x, s, mean):
        world = torch.stack([Gaussian(float(m), 0.4).prediction(one[None], flow_level(level[None]), "velocity")[0]
                             for one, level, m in zip(x, s, mean)])  # fmt: skip
        return world

    guided = Guidance(predict, (torch.ones(1),), (torch.zeros(1),), 2.0)
    found = last(euler(guided, noise(1, 1, 1, 40, 40), schedules.flow_levels(60)))
    assert abs(found.mean() - 2.0) < 0.05
