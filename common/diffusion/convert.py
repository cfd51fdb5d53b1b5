"""Between what models predict, and between paths. Whoever knows x and one prediction knows x0, eps and all others."""

from collections.abc import Callable

import torch

from common.diffusion.paths import Level, beside
from common.diffusion.preconditioning import edm_precondition

KINDS = ("velocity", "epsilon", "sample", "v_prediction")


def split(x: torch.Tensor, prediction: torch.Tensor, kind: str, level: Level) -> tuple[torch.Tensor, torch.Tensor]:
    """The data and the noise that a prediction stands for.

    Args:
        x: the noisy clip, signal · x0 + noise · eps.
        prediction: of the model.
        kind: "velocity" (eps - x0), "epsilon", "sample" (x0), or "v_prediction" (signal · eps - noise · x0; Salimans,
            Ho 2022, arXiv:2202.00512).
        level: of x. With "epsilon" some signal is needed, with "sample" some noise.

    Returns:
        x0 and eps.

    Raises:
        ValueError: there is no such kind.
    """
    a, b = beside(level.signal, x), beside(level.noise, x)  # x = a x0 + b eps
    if kind == "velocity":
        return (x - b * prediction) / (a + b), (x + a * prediction) / (a + b)
    if kind == "epsilon":
        return (x - b * prediction) / a, prediction
    if kind == "sample":
        return prediction, (x - a * prediction) / b
    if kind == "v_prediction":
        return (a * x - b * prediction) / (a**2 + b**2), (b * x + a * prediction) / (a**2 + b**2)
    raise ValueError(f"kind is one of {', '.join(KINDS)}; got {kind!r}")


def join(x0: torch.Tensor, eps: torch.Tensor, kind: str, level: Level) -> torch.Tensor:
    """What a model of a kind should predict, from the data and the noise: the target in training.

    - "velocity": eps - x0, the derivative of flow matching's straight path by s.
    - "epsilon": eps, the noise (DDPM).
    - "sample": x0, the data.
    - "v_prediction": signal · eps - noise · x0 (Salimans, Ho 2022, arXiv:2202.00512).

    Args:
        x0: data `(B, C, T', H, W)`.
        eps: standard normal noise, the same shape.
        kind: one of the four.
        level: its `signal` and `noise` are `(B,)`, one number per sample, or `(B, T')`, one per frame.

    Returns:
        The same shape.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}; got {kind!r}")
    a, b = beside(level.signal, x0), beside(level.noise, x0)
    return {"velocity": eps - x0, "epsilon": eps, "sample": x0, "v_prediction": a * eps - b * x0}[kind]


def as_flow(x: torch.Tensor, level: Level) -> tuple[torch.Tensor, torch.Tensor]:
    """A noisy clip of any path, rescaled to flow matching's straight path, (1 - s) x0 + s eps.

    The noise-to-signal ratio stays what it was.

    Args:
        x: the noisy clip, signal · x0 + noise · eps, `(B, C, T', H, W)`.
        level: of x. Its `signal` and `noise` are `(B,)`, one number per sample, or `(B, T')`, one per frame. They are
            at least 0, and their sum is positive, and not in general 1.

    Returns:
        The clip on the straight path, the same shape; and its s, with the shape of `signal`.
    """
    total = level.signal + level.noise
    return x / beside(total, x), level.noise / total


def from_flow(x: torch.Tensor, s: torch.Tensor, level: Level) -> torch.Tensor:
    """The way back: a clip of the straight path, scaled to a level that has the same noise for its signal."""
    return x * beside(level.signal + level.noise, x)


def edm_denoise(network: Callable, x: torch.Tensor, sigma: torch.Tensor, sigma_data: float = 0.5) -> torch.Tensor:
    """EDM's denoiser around a raw network: inputs and outputs have variance 1 at every sigma (2206.00364, table 1).

    Args:
        network: `(scaled x, c_noise) -> `, c_noise being ln(sigma) / 4.
        x: the noisy clip, x0 + sigma · eps.
        sigma: of each sample or frame.
        sigma_data: standard deviation of the data.

    Returns:
        The estimate of x0.
    """
    c_skip, c_out, c_in, c_noise = edm_precondition(sigma, sigma_data)
    return beside(c_skip, x) * x + beside(c_out, x) * network(beside(c_in, x) * x, c_noise)


def edm_derivative(denoise: Callable, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """dx / dsigma along EDM's probability flow, (x - D(x, sigma)) / sigma: what `euler` and `heun` walk along."""
    return (x - denoise(x, sigma)) / beside(sigma, x)
