"""The loss of a text-to-video model that was an image model, and the noise levels at which it is asked."""

from collections.abc import Callable

import torch

from common.diffusion.preconditioning import edm_precondition
from common.tensor_ops import append_dims


def shift_sigma(sigma: torch.Tensor, num_frames: int, base_frames: int = 1) -> torch.Tensor:
    """Noise levels for clips that are as hard as other levels are for shorter clips: more noise for more frames.

    On a clip where nothing moves, T noisy frames show one picture T times. Their mean has 1 / sqrt(T) of one frame's
    noise. So what sigma hides in a clip of `base_frames` frames, sigma · sqrt(num_frames / base_frames) hides in one of
    `num_frames`. (If ln(sigma) is normal, its mean rises by half of ln(num_frames / base_frames).)

    Args:
        sigma: noise levels for clips of `base_frames` frames, of any shape.
        num_frames: of the clips that the new levels are for.
        base_frames: of the clips that the given levels are for; 1 for pictures.

    Returns:
        The levels as a new tensor, in the shape, dtype and device of sigma.

    Raises:
        ValueError: one of the numbers of frames is below 1.
    """
    if num_frames < 1 or base_frames < 1:
        raise ValueError(f"clips have at least one frame, got {num_frames} and {base_frames}")
    return sigma * (num_frames / base_frames) ** 0.5


def video_loss(
    model: Callable, x0: torch.Tensor, eps: torch.Tensor, sigma: torch.Tensor, states: torch.Tensor,
    no_states: torch.Tensor, drop_text: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """The loss of a text-to-video model that predicts v, for a batch in which some samples lack the prompt.

    With s = sqrt(sigma² + 1), where all frames of a clip have the same level sigma but noise of their own:

        v = model((x0 + sigma · eps) / s, ln(sigma) / 4, states).sample
        loss = mean((v - (eps - sigma · x0) / s)²)

    This is EDM's loss with the data's standard deviation 1: its weight (sigma² + 1) / sigma² is what makes an error of
    v from an error of x0. So nothing else is weighted here. Where the prompt is dropped, the model is told the states
    of the empty prompt.

    Args:
        model: `(sample, timestep, states)` to an object whose `.sample` is v, `(B, C, T, H', W')`; it is called once,
            with `sample` as `(B, C, T, H', W')` and `timestep` as `(B,)`.
        x0: latents of clips, `(B, C, T, H', W')`, float32.
        eps: standard normal noise, likewise.
        sigma: noise levels, `(B,)`, above 0.
        states: of the prompts, `(B, L, D)`.
        no_states: of the empty prompt, `(1, L, D)`.
        drop_text: bools `(B,)`, true where the prompt is dropped.

    Returns:
        `(B,)` float32: the loss of each sample, its mean taken over C, T, H' and W'. A gradient reaches the model.

    Raises:
        ValueError: sigma is not `(B,)`.
    """
    if sigma.shape != x0.shape[:1]:
        raise ValueError(f"sigma is ({len(x0)},) here, got {tuple(sigma.shape)}")
    told = torch.where(drop_text[:, None, None], no_states, states)
    level = append_dims(sigma, x0)
    size = (level**2 + 1).sqrt()
    v = model((x0 + level * eps) / size, sigma.log() / 4, told).sample
    return (v.float() - (eps - level * x0) / size).square().flatten(1).mean(dim=1)


def video_denoise(model: Callable, x: torch.Tensor, sigma: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """The model's estimate of clips without noise, from its prediction of v with the data's standard deviation 1.

    Args:
        model: as `video_loss` takes it.
        x: noisy latents x0 + sigma · eps, `(B, C, T, H', W')`.
        sigma: their levels, `(B,)`.
        states: of the prompts, `(B, L, D)`.
    """
    c_skip, c_out, c_in, c_noise = edm_precondition(sigma, 1.0)
    v = model(append_dims(c_in, x) * x, c_noise, states).sample
    return append_dims(c_skip, x) * x - append_dims(c_out, x) * v
