"""Training losses as functions of a callable, and the noise levels at which a training run asks."""

from collections.abc import Callable, Sequence

import torch

from common.diffusion.paths import add_noise, beside, edm_level, flow_level, flow_target

DISTRIBUTIONS = ("uniform", "logit_normal")


def logit_normal(z: torch.Tensor, mean: float = 0.0, std: float = 1.0) -> torch.Tensor:
    """Logit-normal levels: standard normal numbers become levels in (0, 1) (Esser et al. 2024, arXiv:2403.03206).

    The logit of a level, ln(s / (1 - s)), is normal with this mean and standard deviation (eq. 19). So middle levels,
    where a velocity is hard to tell, come most often; a higher mean asks at noisier ones.

    Args:
        z: standard normal numbers of any shape.
        mean: of the logit, any number: far levels are rounded to 0 or 1, never NaN.
        std: of the logit, positive.

    Returns:
        s, the same shape; it rises with z.
    """
    return torch.sigmoid(mean + std * z)


def draw_levels(
    shape: Sequence[int],
    generator: torch.Generator | None = None,
    distribution: str = "logit_normal",
    mean: float = 0.0,
    std: float = 1.0,
) -> torch.Tensor:
    """Levels s to train at.

    Args:
        shape: `(B,)`, or `(B, T')` for one a frame.
        generator: where the numbers come from, on its device.
        distribution: "uniform" or "logit_normal".
        mean: of `logit_normal`.
        std: of `logit_normal`.

    Raises:
        ValueError: there is no such distribution.
    """
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"the distribution is one of {', '.join(DISTRIBUTIONS)}; got {distribution!r}")
    device = generator.device if generator else None
    if distribution == "uniform":
        return torch.rand(*shape, generator=generator, device=device)
    return logit_normal(torch.randn(*shape, generator=generator, device=device), mean, std)


def flow_matching_loss(
    velocity: Callable,
    x0: torch.Tensor,
    eps: torch.Tensor,
    s: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Squared error of the predicted velocity (arXiv:2210.02747, eq. 23).

    Args:
        velocity: `(x_s, 1000 s) -> ` as x0.
        x0: data `(B, C, T', H, W)`.
        eps: standard normal noise, likewise.
        s: levels from 0 to 1, `(B,)`, or `(B, T')` for one a frame.
        weights: what each sample `(B,)` or frame `(B, T')` counts; None for 1. A frame that is given counts 0.

    Returns:
        `(B,)` float32: the mean over what counts.
    """
    predicted = velocity(add_noise(x0, eps, flow_level(s)), 1000 * s)
    error = (predicted.float() - flow_target(x0, eps).float()).square()  # (B, C, T', H, W)
    if weights is None:
        return error.flatten(1).mean(dim=1)
    counts = beside(weights.float(), error).expand_as(error)
    return (error * counts).flatten(1).sum(dim=1) / counts.flatten(1).sum(dim=1).clamp(min=1e-8)


def edm_loss(
    denoise: Callable, x0: torch.Tensor, eps: torch.Tensor, sigma: torch.Tensor, sigma_data: float = 0.5
) -> torch.Tensor:
    """Squared error of EDM's denoiser, times 1 / c_out²: every noise level counts the same (2206.00364, eq. 8).

    Args:
        denoise: `(x, sigma) -> ` the estimate of x0.
        x0: data `(B, ...)`.
        eps: standard normal noise, likewise.
        sigma: level of each sample, `(B,)`.
        sigma_data: standard deviation of the data.

    Returns:
        `(B,)` float32.
    """
    estimate = denoise(add_noise(x0, eps, edm_level(sigma)), sigma)
    weight = (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2  # (B,)
    return weight * (estimate.float() - x0.float()).square().flatten(1).mean(dim=1)
