"""A neural world model at play: context corruption, the next frame in a few steps, and the rollout that feeds itself.

    frame = sample_next(model, past, actions, num_steps=2)          the next frame
    for frame in rollout(model, past, actions): ...                 and then the next, from its own

`model` is a `WorldUNet`, or anything that is called and configured like one. The convention is that of the games:
action `a_t` is pressed while frame t is shown and leads to frame t + 1.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.convert import edm_denoise
from common.diffusion.paths import add_noise, edm_level
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
        `frames + level · eps`, a new tensor of the same shape, not clamped.
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
    eps: torch.Tensor | None = None,
) -> torch.Tensor:
    """The next frame, by a few Euler steps from noise (DIAMOND takes three: arXiv:2405.12399, section 3.2).

    The past gets noise of level `context_noise` (`corrupt_context`), where that is above 0, and the model is told the
    level. The sample begins as x = sigma · eps at the first of the levels `world_sigmas(num_steps,
    model.config.sigma_max)`. A step goes from each level to the next:

        x ← x + (next sigma - sigma) · (x - D) / sigma, where D is `denoise` at x and sigma

    In the end comes `quantize`.

    Args:
        model: as in `denoise`, with `config.sigma_max`.
        past: the last K frames, oldest first, `(B, C, K, H, W)` in [-1, 1].
        actions: int64 `(B, K)`; the last one leads to the next frame.
        num_steps: calls of the model.
        context_noise: standard deviation of the noise on the past.
        generator: for `randn_tensor`. It draws the noise on the past, if there is any, and after it eps. A list has one
            per sample, and then a sample does not depend on its batch.
        eps: standard normal noise `(B, C, H, W)`; None to draw it, in float32.

    Returns:
        `(B, C, H, W)` float32 in [-1, 1], of the 256 values that a pixel can have.
    """
    level = past.new_full((len(past),), context_noise)
    if context_noise > 0:
        past = corrupt_context(past, level, randn_tensor(past.shape, generator, past.device, past.dtype))
    if eps is None:
        eps = randn_tensor((*past.shape[:2], *past.shape[3:]), generator, past.device, torch.float32)
    sigmas = world_sigmas(num_steps, model.config.sigma_max).to(past.device)
    x = sigmas[0] * eps
    for sigma, after in pairwise(sigmas):
        x0 = denoise(model, x, sigma.expand(len(x)), past, actions, level)
        x = x + (after - sigma) * ((x - x0) / sigma)
    return quantize(x)


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
    """Free running: each frame is made from the last K frames and their actions, and then it is the newest of the K.

    Args:
        model: as in `sample_next`.
        past: K frames to begin with, oldest first, `(B, C, K, H, W)`.
        actions: int64 `(B, K - 1 + N)`: those between the K frames, then the N that lead on.
        num_steps: of `sample_next`, for every frame.
        context_noise: likewise. The noise is drawn anew for every frame, and what is remembered has none.
        generator: likewise, of the noise of all frames.

    Yields:
        N frames `(B, C, H, W)`, as `sample_next` gives them. Each is computed when it is drawn.

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
