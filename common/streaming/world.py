"""A neural world model at play: context corruption, the next frame in a few steps, and the rollout that feeds itself.

    frame = sample_next(model, past, actions, num_steps=2)          the next frame
    for frame in rollout(model, past, actions): ...                 and then the next, from its own

`model` is a `WorldUNet`, or anything that is called and configured like one. The convention is that of the games:
action `a_t` is pressed while frame t is shown and leads to frame t + 1.
"""

from collections.abc import Iterator
from functools import partial

import torch
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.convert import edm_denoise, edm_derivative
from common.diffusion.paths import add_noise, edm_level
from common.diffusion.samplers import euler, last
from common.diffusion.schedules import karras_sigmas

SIGMA_MIN = 2e-3  # where the levels would end if the last one were not 0

Generators = torch.Generator | list[torch.Generator] | None


def corrupt_context(frames: torch.Tensor, level: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """Context corruption: Gaussian noise on the past frames, against drift (GameNGen, arXiv:2408.14837, 3.2.1).

    In training the past is real, at play it is the model's own. With noise on it the two look alike, and the model
    learns to repair what it reads. It is told the level, so it knows how far to trust.

    Args:
        frames: the past, `(B, C, K, H, W)` in [-1, 1].
        level: standard deviation of the noise of each sample, `(B,)`; 0 for none.
        eps: standard normal noise, as `frames`.

    Returns:
        `frames + level · eps`, a new tensor, not clamped.
    """
    return add_noise(frames, eps, edm_level(level))


def denoise(
    model,
    x: torch.Tensor,
    sigma: torch.Tensor,
    past: torch.Tensor,
    actions: torch.Tensor,
    context_noise: torch.Tensor,
) -> torch.Tensor:
    """The model's estimate of the next frame: EDM's preconditioning around the raw network.

    Args:
        model: `(sample, c_noise, past, actions, context_noise) -> ` as sample, with `config.sigma_data`.
        x: the noisy next frame, x0 + sigma · eps, `(B, C, H, W)`.
        sigma: its noise level, `(B,)`.
        past: `(B, C, K, H, W)`, with its noise on it.
        actions: int64 `(B, K)`.
        context_noise: level of the noise on the past, `(B,)`.

    Returns:
        The estimate of x0, float32, as x.
    """

    def network(scaled: torch.Tensor, c_noise: torch.Tensor) -> torch.Tensor:
        return model(scaled, c_noise, past, actions, context_noise).float()

    return edm_denoise(network, x, sigma, model.config.sigma_data)


def world_sigmas(num_steps: int, sigma_max: float) -> torch.Tensor:
    """Noise levels of a sampler: Karras' levels (arXiv:2206.00364, eq. 5), the last of which is 0 in place of 0.002.

    Args:
        num_steps: n, calls of the model.
        sigma_max: the first level.

    Returns:
        `(n + 1,)` float32, falling to 0.

    Raises:
        ValueError: there is no step.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    sigmas = karras_sigmas(num_steps + 1, SIGMA_MIN, sigma_max)[:-1]  # (n + 1,)
    sigmas[-1] = 0
    return sigmas


def sample_next(
    model,
    past: torch.Tensor,
    actions: torch.Tensor,
    num_steps: int = 2,
    *,
    context_noise: float = 0.0,
    generator: Generators = None,
) -> torch.Tensor:
    """The next frame, by a few Euler steps from noise (DIAMOND takes three: arXiv:2405.12399, section 3.2).

    Args:
        model: as in `denoise`, with `config.sigma_max`.
        past: the last K frames, oldest first, `(B, C, K, H, W)` in [-1, 1].
        actions: int64 `(B, K)`; the last one leads to the next frame.
        num_steps: calls of the model.
        context_noise: level of the noise that is put on the past, and told.
        generator: of all noise; a list has one per sample, and then a sample does not depend on its batch.

    Returns:
        `(B, C, H, W)` in [-1, 1], of the 256 values that a pixel can have (`quantize`).
    """
    level = past.new_full((len(past),), context_noise)
    if context_noise > 0:
        past = corrupt_context(past, level, randn_tensor(past.shape, generator, past.device, past.dtype))
    eps = randn_tensor((len(past), *past.shape[1:2], *past.shape[3:]), generator, past.device, torch.float32)
    return next_from_noise(model, eps, past, actions, level, num_steps)


def next_from_noise(
    model,
    eps: torch.Tensor,
    past: torch.Tensor,
    actions: torch.Tensor,
    context_noise: torch.Tensor,
    num_steps: int = 2,
) -> torch.Tensor:
    """The part of `sample_next` without chance.

    Args:
        model: as in `sample_next`.
        eps: standard normal noise, `(B, C, H, W)`.
        past: with its noise on it, `(B, C, K, H, W)`.
        actions: int64 `(B, K)`.
        context_noise: level of the noise on the past, `(B,)`.
        num_steps: calls of the model.

    Returns:
        As `sample_next`.
    """
    sigmas = world_sigmas(num_steps, model.config.sigma_max)
    estimate = partial(denoise, model, past=past, actions=actions, context_noise=context_noise)
    return quantize(last(euler(partial(edm_derivative, estimate), sigmas[0] * eps, sigmas)))


def quantize(frames: torch.Tensor) -> torch.Tensor:
    """The nearest of the 256 values of a pixel, in [-1, 1]: what is shown is also what is remembered."""
    return ((frames.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def push(past: torch.Tensor, frame: torch.Tensor) -> torch.Tensor:
    """The past one frame later: the oldest frame goes, the new one comes. `(B, C, K, H, W)` and `(B, C, H, W)`."""
    return torch.cat([past[:, :, 1:], frame[:, :, None]], dim=2)


def rollout(
    model,
    past: torch.Tensor,
    actions: torch.Tensor,
    num_steps: int = 2,
    *,
    context_noise: float = 0.0,
    generator: Generators = None,
) -> Iterator[torch.Tensor]:
    """Free running: every frame is made from the frames before it, which the model soon made itself.

    Args:
        model: as in `sample_next`.
        past: K frames to begin with, `(B, C, K, H, W)`.
        actions: int64 `(B, K - 1 + N)`: those between the K frames, then the N that lead on.
        num_steps: as in `sample_next`, and so are the other arguments.

    Yields:
        N frames `(B, C, H, W)`.

    Raises:
        ValueError: there are fewer than K actions.
    """
    num_past = past.shape[2]
    if actions.shape[1] < num_past:
        raise ValueError(f"{num_past} frames and at least {num_past} actions begin a rollout, got {actions.shape[1]}")
    for window in actions.unfold(1, num_past, 1).unbind(dim=1):  # (B, K) each
        frame = sample_next(model, past, window, num_steps, context_noise=context_noise, generator=generator)
        yield frame
        past = push(past, frame)
