"""Stable Video Diffusion's way from a picture to a clip, as functions of a model (Blattmann et al. 2023, 2311.15127).

The model sees the noisy clip and, in further channels of every frame, the latents of the picture. It is told the noise
level, a prompt or an embedding of the picture, and three added ids. It predicts v with sigma_data = 1.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from einops import rearrange, repeat

from common.diffusion.losses import edm_loss
from common.diffusion.preconditioning import edm_precondition
from common.diffusion.samplers import Step, euler
from common.tensor_ops import append_dims

SIGMA_DATA = 1.0


def added_time_ids(fps: torch.Tensor, motion_bucket_id: torch.Tensor, noise_aug_strength: torch.Tensor) -> torch.Tensor:
    """The added ids of Stable Video Diffusion: `(B, 3)`: frames per second less 1, motion, noise on the picture.

    Args:
        fps: frames per second, `(B,)`. The model is told one less: that is how it was trained.
        motion_bucket_id: how much moves, from 0 to 255, `(B,)`.
        noise_aug_strength: standard deviation of the noise that was added to the picture, `(B,)`.
    """
    return torch.stack([fps.float() - 1, motion_bucket_id.float(), noise_aug_strength.float()], dim=1)


def frame_guidance(min_guidance_scale: float, max_guidance_scale: float, num_frames: int) -> torch.Tensor:
    """The guidance scale of each frame, `(T,)`: it rises evenly from the first frame, which is given, to the last."""
    return torch.linspace(min_guidance_scale, max_guidance_scale, num_frames)


def svd_denoise(
    model: Callable, x: torch.Tensor, sigma: torch.Tensor, picture: torch.Tensor, states: torch.Tensor,
    time_ids: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """The model's estimate of the clip without noise, by EDM's preconditioning with v-prediction.

    Args:
        model: a `UNetSpatioTemporalConditionModel`.
        x: noisy latents x0 + sigma · eps, `(B, C, T, H', W')`.
        sigma: their levels, `(B,)`.
        picture: latents of the first frame, `(B, C, H', W')`, put beside every frame as they are; zeros for none.
        states: of the prompts, `(B, L, D)`.
        time_ids: `(B, 3)`, as `added_time_ids` gives them.
    """
    c_skip, c_out, c_in, c_noise = edm_precondition(sigma, SIGMA_DATA)
    given = repeat(picture, "b c h w -> b t c h w", t=x.shape[2])
    noisy = rearrange(append_dims(c_in, x) * x, "b c t h w -> b t c h w")
    v = model(torch.cat([noisy, given], dim=2), c_noise, states, time_ids).sample  # (B, T, C, H', W')
    return append_dims(c_skip, x) * x - append_dims(c_out, x) * rearrange(v, "b t c h w -> b c t h w")


def i2v_loss(
    model: Callable, x0: torch.Tensor, eps: torch.Tensor, sigma: torch.Tensor, picture: torch.Tensor,
    states: torch.Tensor, time_ids: torch.Tensor, no_states: torch.Tensor, drop_picture: torch.Tensor,
    drop_text: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """EDM's loss of an image-to-video model, for a batch in which some samples lack the picture, the prompt, or both.

        x = x0 + sigma · eps
        loss = (sigma² + 1) / sigma² · mean((D(x) - x0)²)

    D is `svd_denoise`, the denoiser around the model. Where the picture is dropped, the model is shown zeros in its
    place; where the prompt is dropped, it is told the states of the empty prompt. The noisy clip and the added ids stay
    as they are. What is dropped now and then can be left out later, which classifier-free guidance needs.

    Args:
        model: a `UNetSpatioTemporalConditionModel`, or a callable like it.
        x0: latents of clips, `(B, C, T, H', W')`, float32.
        eps: standard normal noise, likewise.
        sigma: noise levels, `(B,)`.
        picture: latents of the first frames, `(B, C, H', W')`, as the model is to see them.
        states: of the prompts, `(B, L, D)`.
        time_ids: added ids, `(B, 3)`.
        no_states: of the empty prompt, `(1, L, D)`.
        drop_picture: bools `(B,)`, true where the picture is dropped.
        drop_text: bools `(B,)`, true where the prompt is dropped.

    Returns:
        `(B,)` float32: the loss of each sample, its mean taken over C, T, H' and W'. A gradient reaches the model.
    """
    shown = picture.masked_fill(drop_picture[:, None, None, None], 0.0)
    told = torch.where(drop_text[:, None, None], no_states, states)
    denoise = partial(svd_denoise, model, picture=shown, states=told, time_ids=time_ids)
    return edm_loss(denoise, x0, eps, sigma, SIGMA_DATA)


def svd_sample(
    denoise: Callable, x: torch.Tensor, sigmas: torch.Tensor, guidance_scale: torch.Tensor | None = None
) -> Iterator[Step]:
    """Stable Video Diffusion's sampler: Euler's steps, with a guidance scale of its own for each frame.

    Args:
        denoise: `(x, sigma) -> ` the estimate of x0. With guidance it gets everything twice, `(2 B, ...)`, first for
            the samples without picture and prompt, then for those with both.
        x: noise of the first level's size, `(B, C, T, H', W')`.
        sigmas: levels falling to 0, `(K + 1,)`.
        guidance_scale: of each frame, `(T,)`; None for none: the model is asked once per step.

    Yields:
        K steps.
    """
    scale = None if guidance_scale is None else rearrange(guidance_scale, "t -> 1 1 t 1 1").to(x.device)

    def derivative(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        if scale is None:
            estimate = denoise(x, sigma)
        else:
            without, both = denoise(torch.cat([x, x]), torch.cat([sigma, sigma])).chunk(2)
            estimate = without + scale * (both - without)
        return (x - estimate) / append_dims(sigma, x)

    yield from euler(derivative, x, sigmas)
