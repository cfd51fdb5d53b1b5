"""Stable Video Diffusion's way from a picture to a clip, as functions of a model (Blattmann et al. 2023, 2311.15127).

The model sees the noisy clip and, in further channels of every frame, the latents of the picture. It is told the noise
level, a prompt or an embedding of the picture, and three added ids. It predicts v with sigma_data = 1.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from einops import rearrange, repeat

from common.diffusion.losses import edm_loss
from common.diffusion.preconditioning import edm_precondition
from common.diffusion.samplers import Step, level_pairs
from common.tensor_ops import append_dims

SIGMA_DATA = 1.0


def added_time_ids(fps: torch.Tensor, motion_bucket_id: torch.Tensor, noise_aug_strength: torch.Tensor) -> torch.Tensor:
    """The added ids of Stable Video Diffusion, three numbers per clip: fps - 1, motion bucket, noise on the picture.

    The model was trained on one less than the frames per second, so it is told one less. The other two stay as they
    are. (The model itself turns each number into sinusoids. No scaling belongs here.)

    Args:
        fps: frames per second, `(B,)` of any dtype, whole or not. No number is checked, rounded or clamped.
        motion_bucket_id: how much moves, `(B,)` of any dtype, as a rule from 0 to 255.
        noise_aug_strength: standard deviation of the noise that was added to the picture's pixels, `(B,)` of any
            dtype.

    Returns:
        `(B, 3)` float32, on the inputs' device. The columns are in this order.

    Raises:
        ValueError: the three are not `(B,)` with the same B.
    """
    fps, bucket, strength = fps.float(), motion_bucket_id.float(), noise_aug_strength.float()
    if fps.ndim != 1 or not fps.shape == bucket.shape == strength.shape:
        raise ValueError(f"all three are (B,), got {tuple(fps.shape)}, {tuple(bucket.shape)}, {tuple(strength.shape)}")
    return torch.stack([fps - 1, bucket, strength], dim=1)


def condition_latents(
    vae: Any, pictures: torch.Tensor, noise_aug_strength: float, noise: torch.Tensor, guided: bool = False
) -> torch.Tensor:
    """The latents of pictures, as Stable Video Diffusion's U-Net reads them beside the noisy clip.

    1. Noise is added to the pixels (noise augmentation): pictures + noise_aug_strength · noise. Nothing is clamped.
    2. The encoder codes all of them in one call, `vae.encode(…).latent_dist.mode()`: the most likely latents, none are
       drawn. The sum is computed in float32, and then goes to the encoder in the dtype `vae.dtype`.
    3. Latents stay as they are. Those of a clip are multiplied by `vae.config.scaling_factor`. These are not.
    4. Guidance asks the model with and without the picture. Without it the model reads zeros, which are no picture's
       latents: they do not go through the encoder.

    Args:
        vae: has `encode`, `dtype` and `config`, as an `AutoencoderKL` or a `FrameVAE`.
        pictures: `(B, 3, H, W)` float32 in [-1, 1].
        noise_aug_strength: standard deviation of the noise on the pixels, one number, 0 or more.
        noise: standard normal, of the shape of `pictures`, float32.
        guided: put B samples of zeros before the B pictures.

    Returns:
        `(B, C, H', W')` float32, or `(2 B, C, H', W')` if guided: first the zeros, then the pictures' latents.

    Raises:
        ValueError: the strength is negative, or the noise has another shape than the pictures.
    """
    if not noise_aug_strength >= 0:
        raise ValueError(f"noise_aug_strength is 0 or more, got {noise_aug_strength}")
    if noise.shape != pictures.shape:
        raise ValueError(f"noise is {tuple(pictures.shape)} here, got {tuple(noise.shape)}")
    noisy = (pictures + noise_aug_strength * noise).to(vae.dtype)
    latents = vae.encode(noisy).latent_dist.mode().float()
    return torch.cat([torch.zeros_like(latents), latents]) if guided else latents


def frame_guidance(min_guidance_scale: float, max_guidance_scale: float, num_frames: int) -> torch.Tensor:
    """The guidance scale of each frame: from the first, which is nearly given, in even steps to the last.

    Args:
        min_guidance_scale: of frame 0.
        max_guidance_scale: of frame T - 1. It may also be below the first one, or equal.
        num_frames: T. A single frame has `min_guidance_scale`.

    Returns:
        `(T,)` float32.

    Raises:
        ValueError: there is no frame.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames is at least 1, got {num_frames}")
    return torch.linspace(min_guidance_scale, max_guidance_scale, num_frames, dtype=torch.float32)


def svd_denoise(
    model: Callable, x: torch.Tensor, sigma: torch.Tensor, picture: torch.Tensor, states: torch.Tensor,
    time_ids: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """The model's estimate of the clip x0 without noise: EDM's preconditioning around a network that predicts v.

    The data's standard deviation is 1 (`SIGMA_DATA`). With s = sqrt(sigma² + 1), the estimate is

        x / s² - (sigma / s) · v,    v = model(sample, timestep, states, time_ids).sample

    - `sample` is `(B, T, 2 C, H', W')`: frames come before channels. The first C channels of each frame are x / s. The
      other C are the picture's latents as they are, not divided by anything, the same in every frame.
    - `timestep` is ln(sigma) / 4, `(B,)`.
    - `states` and `time_ids` go through unchanged.
    - `.sample` of what the model gives is v, `(B, T, C, H', W')`.

    In `edm_precondition`'s words: v is the *negative* of EDM's F, hence the minus before c_out.

    Args:
        model: a `UNetSpatioTemporalConditionModel`, called once, with these four arguments in this order.
        x: noisy latents x0 + sigma · eps, `(B, C, T, H', W')`.
        sigma: their levels, `(B,)`, above 0.
        picture: latents of the first frame, `(B, C, H', W')`; zeros for none.
        states: of the prompts, `(B, L, D)`.
        time_ids: `(B, 3)`, as `added_time_ids` gives them.

    Returns:
        `(B, C, T, H', W')`, of x's dtype. Inputs are float32, or all float64. Training uses it too, so gradients flow
        to the model and to all inputs.

    Raises:
        ValueError: sigma is not `(B,)`, or picture not `(B, C, H', W')`, with x's sizes.
    """
    if sigma.shape != x.shape[:1]:
        raise ValueError(f"sigma is ({len(x)},) here, got {tuple(sigma.shape)}")
    if picture.shape != (*x.shape[:2], *x.shape[3:]):
        raise ValueError(f"the picture is {(*x.shape[:2], *x.shape[3:])} here, got {tuple(picture.shape)}")
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
    """Stable Video Diffusion's sampler: Euler's method, with a guidance scale of its own for each frame.

    A step leads from one level, sigma, to the next. With the estimate e of the clip without noise,

        x becomes x + (next - sigma) · (x - e) / sigma.

    Without guidance e = denoise(x, sigma). With guidance the model is asked for both halves of a doubled batch in one
    call, denoise([x, x], [sigma, sigma]) along the batch axis. Of the estimates, the first half is `without`, the
    second `both`, and e = without + scale · (both - without), where each frame t has its own scale.

    Args:
        denoise: `(x, sigma) -> ` an estimate like x, of any float dtype; it gets float32, and sigma as `(B,)`. With
            guidance it gets `(2 B, C, T, H', W')` and `(2 B,)`: the first B are the samples without picture and
            prompt, the others those with both.
        x: noise that has the first level's size already, `(B, C, T, H', W')`, of any float dtype. It is not changed.
            All arithmetic is in float32.
        sigmas: K + 1 levels, falling, the last one 0: `(K + 1,)`.
        guidance_scale: of each frame, `(T,)`, as `frame_guidance` gives it; None for no guidance.

    Yields:
        K steps, each computed when it is drawn: `Step(index, level, sample, denoised)`. `index` counts from 0, `level`
        is sigma before the step, `(B,)`, `sample` is x after the step and `denoised` is e, both `(B, C, T, H', W')`.
        They are float32.

    Raises:
        ValueError: when the first step is drawn: the levels rise somewhere or do not end at 0, or the scales are not
            `(T,)`.
    """
    if guidance_scale is not None and guidance_scale.shape != x.shape[2:3]:
        raise ValueError(f"guidance_scale is ({x.shape[2]},) here, got {tuple(guidance_scale.shape)}")
    x = x.float()
    for index, (sigma, after) in enumerate(level_pairs(sigmas, x)):
        if guidance_scale is None:
            estimate = denoise(x, sigma).float()
        else:
            without, both = denoise(torch.cat([x, x]), torch.cat([sigma, sigma])).float().chunk(2)
            scale = rearrange(guidance_scale.to(both), "t -> 1 1 t 1 1")
            estimate = without + scale * (both - without)
        x = x + append_dims(after - sigma, x) * (x - estimate) / append_dims(sigma, x)
        yield Step(index, sigma, x, estimate)
