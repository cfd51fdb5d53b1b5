"""Through which levels a sampler goes, and how much noise a DDPM timestep means."""

import math

import torch

BETAS = ("linear", "scaled_linear", "squaredcos_cap_v2")


def flow_levels(num_inference_steps: int, shift: float = 1.0) -> torch.Tensor:
    """Levels s of flow matching, `(num_inference_steps + 1,)` float32, from 1 to 0, evenly and then shifted.

    Raises:
        ValueError: there is no step, or the shift is not positive.
    """
    if num_inference_steps < 1:
        raise ValueError(f"num_inference_steps must be at least 1, got {num_inference_steps}")
    return shift_levels(torch.linspace(1, 0, num_inference_steps + 1), shift)


def shift_levels(s: torch.Tensor, shift: float) -> torch.Tensor:
    """Move levels towards noise: shift · s / (1 + (shift - 1) s) (Esser et al. 2024, arXiv:2403.03206, eq. 23).

    A larger clip hides less under the same noise; the shift makes up for it. 0 and 1 stay; a shift of 1 changes none.

    Raises:
        ValueError: the shift is not positive.
    """
    if not shift > 0:
        raise ValueError(f"shift must be above 0, got {shift}")
    return shift * s / (1 + (shift - 1) * s)


def frame_levels(levels: torch.Tensor, num_frames: int, num_clean: int = 0) -> torch.Tensor:
    """A schedule for each frame, in which the first frames are given and stay clean.

    Args:
        levels: `(K + 1,)`.
        num_frames: T', latent frames.
        num_clean: how many of them are at level 0 in every step.

    Returns:
        `(K + 1, T')`.
    """
    each = levels[:, None].repeat(1, num_frames)
    each[:, :num_clean] = 0
    return each


def karras_sigmas(num_inference_steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> torch.Tensor:
    """EDM's levels, denser towards small ones, then 0: `(num_inference_steps + 1,)` (arXiv:2206.00364, eq. 5)."""
    ramp = torch.linspace(0, 1, num_inference_steps, dtype=torch.float64)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    sigmas = (high + ramp * (low - high)) ** rho
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


def ddpm_alphas_cumprod(
    num_train_timesteps: int = 1000, kind: str = "linear", beta_start: float = 1e-4, beta_end: float = 0.02
) -> torch.Tensor:
    """ᾱ of each timestep, the part of the variance that is data: `(num_train_timesteps,)` float32, falling.

    Args:
        num_train_timesteps: of the schedule that the model was trained with.
        kind: of the betas: "linear" (arXiv:2006.11239), "scaled_linear" (evenly in their roots; arXiv:2112.10752), or
            "squaredcos_cap_v2" (arXiv:2102.09672, eq. 17; it has no start and end).
        beta_start: of the first timestep.
        beta_end: of the last.

    Raises:
        ValueError: there is no such kind.
    """
    if kind == "linear":
        betas = torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float64)
    elif kind == "scaled_linear":
        betas = torch.linspace(beta_start**0.5, beta_end**0.5, num_train_timesteps, dtype=torch.float64) ** 2
    elif kind == "squaredcos_cap_v2":
        time = torch.arange(num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
        left = torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = (1 - left[1:] / left[:-1]).clamp(max=0.999)
    else:
        raise ValueError(f"kind is one of {', '.join(BETAS)}; got {kind!r}")
    return torch.cumprod(1 - betas, dim=0).float()


def ddim_timesteps(num_inference_steps: int, num_train_timesteps: int = 1000) -> torch.Tensor:
    """Timesteps from the last one down, `(num_inference_steps,)`, evenly apart: the first sample is pure noise then.

    diffusers calls it "trailing"; why it should begin at the end: Lin et al. 2023, arXiv:2305.08891, section 3.3.

    Raises:
        ValueError: there are no steps, or more than timesteps.
    """
    if not 1 <= num_inference_steps <= num_train_timesteps:
        raise ValueError(f"num_inference_steps must be from 1 to {num_train_timesteps}, got {num_inference_steps}")
    ends = torch.arange(num_inference_steps, 0, -1, dtype=torch.float64) * num_train_timesteps / num_inference_steps
    return ends.round().long() - 1
