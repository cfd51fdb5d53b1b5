"""From noise to data, step by step: each sampler is a generator, so whoever draws from it sees every step.

`euler` and `heun` follow an ordinary differential equation dx / dlevel = derivative(x, level) down to level 0. With
flow matching the level is s and the derivative the model's velocity; with EDM it is sigma, and `edm_derivative`.
`stochastic` goes the same way with flow matching, but draws the noise, or part of it, anew after each step.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.convert import split
from common.diffusion.paths import add_noise, beside, ddpm_level, flow_level


@dataclass(frozen=True)
class Step:
    """One step of a sampler.

    Attributes:
        index: 0 for the first.
        level: before the step, as the model was asked: `(B,)` or `(B, T')`.
        sample: after the step, `(B, C, T', H, W)`, float32.
        denoised: what the model took for the data, seen from before the step.
    """

    index: int
    level: torch.Tensor
    sample: torch.Tensor
    denoised: torch.Tensor


def level_pairs(levels: torch.Tensor, x: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each level with the next, for every sample of the batch of `x`: `(B,)`, or `(B, T')` with one a frame; float32.

    Raises:
        ValueError: levels are not `(K + 1,)` or `(K + 1, T')`, rise somewhere, or do not end at 0.
    """
    if levels.ndim not in (1, 2) or (levels.diff(dim=0) > 0).any() or (levels[-1] != 0).any():
        raise ValueError(f"levels are (K + 1,) or (K + 1, T') and fall to 0, got {levels.tolist()}")
    each = levels.to(x.device, torch.float32)[:, None].expand(-1, len(x), *levels.shape[1:])
    return pairwise(each)


def euler(derivative: Callable, x: torch.Tensor, levels: torch.Tensor) -> Iterator[Step]:
    """Euler's method: straight steps along the derivative dx / dlevel, one call of it per step. First order.

    A step goes from one level to the next, x + (next - level) · derivative. All arithmetic is in float32, whatever the
    dtype of `x` and of what the derivative gives.

    Args:
        derivative: `(x, level) -> ` as x; the level comes as `(B,)`, or as `(B, T')` if there is one a frame.
        x: noise at the first level, `(B, C, T', H, W)`; frames whose level is 0 throughout are given, and stay.
        levels: falling to 0, `(K + 1,)`, or `(K + 1, T')` for a schedule of each frame. Neighbours may be equal.

    Yields:
        K steps, each computed when it is drawn: `Step(index, level, sample, denoised)`, with index from 0, the level as
        the derivative got it, and the sample after the step, float32. `denoised` is x - level · derivative, with x and
        level as they were before the step: where the tangent meets level 0.

    Raises:
        ValueError: the levels are not like that (`level_pairs` checks them).
    """
    x = x.float()
    for index, (level, after) in enumerate(level_pairs(levels, x)):
        d = derivative(x, level).float()
        denoised = x - beside(level, x) * d  # along the tangent to level 0
        x = x + beside(after - level, x) * d
        yield Step(index, level, x, denoised)


def heun(derivative: Callable, x: torch.Tensor, levels: torch.Tensor) -> Iterator[Step]:
    """Steps along the mean of the derivatives at both ends: second order, two calls per step; the last one is Euler's.

    Karras et al. 2022, arXiv:2206.00364, algorithm 1 without its fresh noise. Arguments as for `euler`.
    """
    x = x.float()
    for index, (level, after) in enumerate(level_pairs(levels, x)):
        d = derivative(x, level).float()
        denoised = x - beside(level, x) * d
        if after.max() > 0:  # EDM has no derivative at 0
            trial = x + beside(after - level, x) * d
            d = (d + derivative(trial, after).float()) / 2
        x = x + beside(after - level, x) * d
        yield Step(index, level, x, denoised)


def stochastic(
    velocity: Callable,
    x: torch.Tensor,
    levels: torch.Tensor,
    eta: float = 1.0,
    generator: torch.Generator | list[torch.Generator] | None = None,
) -> Iterator[Step]:
    """Flow matching's steps with noise that is drawn anew: what went wrong in a step need not stay.

    A velocity tells both what the data are and what the noise is. Euler's step mixes the two again at the next level;
    here fresh noise takes the place of the old. At eta 1 that is all of it (`stochastic_sampling` of diffusers'
    `FlowMatchEulerDiscreteScheduler`; the sampler of consistency models, Song et al. 2023, arXiv:2303.01469, alg. 1);
    at eta 0 none, which is Euler's step.

    Args:
        velocity: `(x, s) -> ` as x.
        x: as for `euler`.
        levels: as for `euler`.
        eta: how much of the noise is new, from 0 to 1.
        generator: where it comes from; a list has one for each sample.

    Raises:
        ValueError: eta is not from 0 to 1.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is from 0 to 1, got {eta}")
    x = x.float()
    for index, (level, after) in enumerate(level_pairs(levels, x)):
        x0, eps = split(x, velocity(x, level).float(), "velocity", flow_level(level))
        if eta > 0:
            fresh = randn_tensor(x.shape, generator, x.device)
            eps = (1 - eta**2) ** 0.5 * eps + eta * fresh
        x = add_noise(x0, eps, flow_level(after))
        yield Step(index, level, x, x0)


def ddim(
    predict: Callable,
    x: torch.Tensor,
    timesteps: torch.Tensor,
    alphas_cumprod: torch.Tensor,
    kind: str = "epsilon",
) -> Iterator[Step]:
    """DDIM: DDPM's noise removed in few steps, without fresh noise (Song et al. 2020, 2010.02502, eq. 12, sigma = 0).

    Each step splits x, by one call of the model, into the data and the noise, and mixes these two at the level of the
    next timestep. All arithmetic is in float32, whatever the dtype of `x` and of the prediction.

    Args:
        predict: `(x, timestep) -> ` as x; the timestep comes as `(B,)`, in the dtype of `timesteps`.
        x: noise, `(B, C, T', H, W)`.
        timesteps: falling, `(K,)` whole numbers, as from `schedules.ddim_timesteps`. After the last one comes the data
            itself.
        alphas_cumprod: ᾱ of each timestep of the schedule that the model was trained with.
        kind: what the model predicts, as in `convert.split`.

    Yields:
        K steps, each computed when it is drawn: `Step(index, level, sample, denoised)`, with index from 0, the timestep
        `(B,)` as level, and the sample after the step, float32. `denoised` is the data that the prediction stands for.
    """
    x = x.float()
    for index, timestep in enumerate(timesteps.to(x.device)):
        here = timestep.expand(len(x))  # (B,)
        prediction = predict(x, here).float()
        x0, eps = split(x, prediction, kind, ddpm_level(here, alphas_cumprod))
        if index + 1 < len(timesteps):
            x = add_noise(x0, eps, ddpm_level(timesteps[index + 1].to(x.device).expand(len(x)), alphas_cumprod))
        else:
            x = x0
        yield Step(index, here, x, x0)


def last(steps: Iterator[Step]) -> torch.Tensor:
    """Run a sampler to its end: the sample after the last step.

    Raises:
        ValueError: there was no step.
    """
    kept = deque(steps, maxlen=1)
    if not kept:
        raise ValueError("a sampler needs at least one step: two levels, or one timestep")
    return kept[0].sample
