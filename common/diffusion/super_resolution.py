"""Super-resolution by diffusion: a small clip as the condition of a model that draws a larger one.

Conditioning augmentation: noise on the condition, in training and in use, and a model that is told how much (Ho et al.
2021, arXiv:2106.15282, section 4.2). Without it the second model of a cascade takes the first one's faults for details.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import torch
from einops import rearrange
from torch.nn import functional as F

from common.diffusion.samplers import euler, last
from common.diffusion.schedules import flow_levels
from common.tensor_ops import append_dims

REST = 0.25  # standard deviation of what a true large clip has beyond its condition, both normalised


def upsample_condition(
    latents: torch.Tensor,
    mean: torch.Tensor | Sequence[float],
    std: torch.Tensor | Sequence[float],
    scale_factor: int = 2,
) -> torch.Tensor:
    """Upsample a clip, pixels or latents, frame by frame, and renormalise each channel.

    Each frame by itself is enlarged by bilinear interpolation, `align_corners=False`: rows and columns become
    `scale_factor` times as many, and frames stay what they are. Then every channel is normalised, (x - mean) / std,
    with its own mean and standard deviation.

    Args:
        latents: `(B, C, T', H, W)`, or pixels.
        mean: of each enlarged channel: a tensor `(C,)` or C numbers.
        std: likewise; every one is above 0.
        scale_factor: a whole number from 1 on.

    Returns:
        `(B, C, T', scale_factor · H, scale_factor · W)`, in the dtype of `latents`.

    Raises:
        ValueError: the latents have not five axes, mean or std has not C numbers, a std is not above 0, or
            `scale_factor` is below 1.
    """
    exact = torch.promote_types(latents.dtype, torch.float32)
    mean, std = (torch.as_tensor(values, dtype=exact, device=latents.device) for values in (mean, std))
    if latents.ndim != 5 or mean.shape != latents.shape[1:2] or std.shape != latents.shape[1:2]:
        raise ValueError(
            f"latents are (B, C, T', H, W), mean and std (C,): got {tuple(latents.shape)}, {tuple(mean.shape)} and "
            f"{tuple(std.shape)}"
        )
    if not (std > 0).all() or scale_factor < 1:
        raise ValueError(f"std is above 0 and scale_factor at least 1, got {std.tolist()} and {scale_factor}")
    frames = rearrange(latents.to(exact), "b c t h w -> (b t) c h w")
    large = F.interpolate(frames, scale_factor=scale_factor, mode="bilinear", align_corners=False)
    large = (large - mean[:, None, None]) / std[:, None, None]
    return rearrange(large, "(b t) c h w -> b c t h w", b=len(latents)).to(latents.dtype)


def augment_condition(
    condition: torch.Tensor, noise_level: float | torch.Tensor, noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Conditioning augmentation: noise on a condition, and the timestep that tells the model how much.

    On flow matching's straight path: (1 - a) · condition + a · noise, with a the noise level of each sample.

    Args:
        condition: `(B, C, T', H, W)`.
        noise_level: a, from 0 for none to 1 for nothing but noise: one number for all samples, or a tensor `(B,)`.
        noise: standard normal, as `condition`.

    Returns:
        The noisy condition, in the shape and dtype of `condition`, and 1000 · a, float32 `(B,)`, also where one number
        was given.

    Raises:
        ValueError: the noise has another shape, a level is not from 0 to 1, or a tensor of levels is not `(B,)`.
    """
    level = torch.as_tensor(noise_level, dtype=torch.float32, device=condition.device)
    level = level.expand(len(condition)) if level.ndim == 0 else level
    if noise.shape != condition.shape or level.shape != condition.shape[:1]:
        raise ValueError(
            f"the noise is as the condition {tuple(condition.shape)}, a level one number or (B,): got "
            f"{tuple(noise.shape)} and {tuple(level.shape)}"
        )
    if not ((level >= 0) & (level <= 1)).all():
        raise ValueError(f"a noise level is from 0 to 1, got {level.tolist()}")
    share = append_dims(level, condition)
    return ((1 - share) * condition + share * noise).to(condition.dtype), 1000 * level


@torch.no_grad()
def super_resolve(
    model: Callable,
    condition: torch.Tensor,
    noise: torch.Tensor,
    condition_noise: torch.Tensor,
    noise_level: float | torch.Tensor = 0.2,
    num_inference_steps: int = 8,
    shift: float = 1.0,
) -> torch.Tensor:
    """The second stage of a cascade: sample large latents by Euler's method, given a small clip.

    1. `augment_condition` puts noise on the condition, once: all steps see the same noisy condition, and the model is
       told its timestep at every step.
    2. From `noise` the sampler goes through `flow_levels(num_inference_steps, shift)`, K + 1 levels s from 1 to 0. Each
       step goes along the velocity: x + (next s - s) · velocity.

    Args:
        model: `model(x, timestep, condition, condition_timestep).sample` is the velocity, as x. The timestep is
            1000 · s, `(B,)`, and the condition's timestep comes from `augment_condition`. It is called K times.
        condition: without noise, `(B, C, T', H, W)`.
        noise: standard normal, where x begins, as `condition`.
        condition_noise: standard normal, for `augment_condition`.
        noise_level: of the condition, as in `augment_condition`.
        num_inference_steps: K.
        shift: of the levels.

    Returns:
        x after the last step, float32, as `condition`.

    Raises:
        ValueError: as `augment_condition` and `flow_levels`, or `noise` has another shape than the condition.
    """
    if noise.shape != condition.shape:
        raise ValueError(f"noise is as the condition {tuple(condition.shape)}, got {tuple(noise.shape)}")
    noisy, told = augment_condition(condition, noise_level, condition_noise)
    velocity = lambda x, s: model(x, 1000 * s, noisy, told).sample  # noqa: E731
    return last(euler(velocity, noise, flow_levels(num_inference_steps, shift)))


class Preconditioned:
    """A model's output as a velocity: the best linear guess plus a correction of about 1 (EDM, arXiv:2206.00364).

    The guess takes the answer for the condition plus a rest, all of them normal and independent. The condition has the
    variance 1, the rest `REST` squared. If a is the condition's level, the answer has the mean b · condition,
    b = (1 - a) / ((1 - a)² + a²), and the variance τ² = a² / ((1 - a)² + a²) + REST². If s is the sample's and
    D = (1 - s)² τ² + s², the best guess of the velocity is

        x · (s - (1 - s) τ²) / D - b · condition · s / D,

    and its error has the variance τ² / D. So an untrained model, whose output is 0, already gives back the condition.

    Args:
        model: `model(x, timestep, condition, condition_timestep).sample` is the correction.
    """

    def __init__(self, model: Callable):
        self.model = model

    def __call__(self, x, timestep, condition, condition_timestep):
        """The velocity. Arguments as for the model.

        Returns:
            `.sample`, float32; `.error`, `(B,)`, the variance of the guess's error.
        """
        s, a = (append_dims(level / 1000, x).float() for level in (timestep, condition_timestep))
        power = (1 - a) ** 2 + a**2
        rest = a**2 / power + REST**2  # τ²
        scale = (1 - s) ** 2 * rest + s**2  # D
        guess = (x * (s - (1 - s) * rest) - condition * (1 - a) / power * s) / scale
        out = self.model(x, timestep, condition, condition_timestep).sample.float()
        return SimpleNamespace(sample=guess + (rest / scale).sqrt() * out, error=(rest / scale).flatten())
