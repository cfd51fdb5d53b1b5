"""From data to noise: x = signal · x0 + noise · eps. Paths differ in these two factors, so each converts to each."""

from typing import NamedTuple

import torch

from common.tensor_ops import append_dims


class Level(NamedTuple):
    """A place on a path, of each sample `(B,)` or of each frame `(B, T')`.

    Attributes:
        signal: factor of the data.
        noise: factor of the noise.
    """

    signal: torch.Tensor
    noise: torch.Tensor


def flow_level(s: torch.Tensor) -> Level:
    """Flow matching's straight path (Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003).

    s: 0 for data, 1 for noise.
    """
    return Level(1 - s, s)


def ddpm_level(timestep: torch.Tensor, alphas_cumprod: torch.Tensor) -> Level:
    """DDPM's path, whose variance stays 1 (Ho et al. 2020, arXiv:2006.11239, eq. 4).

    Args:
        timestep: whole numbers from 0 for nearly data.
        alphas_cumprod: ᾱ of each timestep, as from `schedules.ddpm_alphas_cumprod`.
    """
    alpha_bar = alphas_cumprod.to(timestep.device)[timestep]
    return Level(alpha_bar.sqrt(), (1 - alpha_bar).sqrt())


def edm_level(sigma: torch.Tensor) -> Level:
    """EDM's path, which adds noise of standard deviation sigma and leaves the data (Karras et al. 2022, 2206.00364)."""
    return Level(torch.ones_like(sigma), sigma)


def beside(values: torch.Tensor, clip: torch.Tensor) -> torch.Tensor:
    """A number for each sample, `(B,)`, or for each frame, `(B, T')`, with the axes to meet `(B, C, T', H, W)`."""
    return append_dims(values if values.ndim == 1 else values[:, None], clip)


def add_noise(x0: torch.Tensor, eps: torch.Tensor, level: Level) -> torch.Tensor:
    """The noisy clip on any path: signal · x0 + noise · eps.

    Args:
        x0: data `(B, C, T', H, W)`; with one level per sample it may have any axes after B, or none.
        eps: standard normal noise, the same shape.
        level: its `signal` and `noise` are `(B,)`, one number per sample, also where B is T'; or `(B, T')`, one per
            frame.

    Returns:
        The same shape.
    """
    return beside(level.signal, x0) * x0 + beside(level.noise, x0) * eps


def flow_target(x0: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """What a flow-matching model predicts: eps - x0, the derivative of the straight path by s."""
    return eps - x0
