"""`sprites-unet-t2v` from parts of one's own, and its loss and first training steps, small enough for a page.

model = assembled(parts)                          # the shipped weights in these parts
given = coded(asked("large", 4))
mean_loss(video_loss, model, given)
for value in training_steps(video_loss, model, given, num_steps=10): ...
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from einops import rearrange
from safetensors.torch import load_file

from common.data.sprites.render import SpriteBatch
from common.diffusion.video_loss import shift_sigma
from common.models.frame_vae import FrameVAE
from common.models.shipped import WEIGHTS, find
from common.models.video_unet import ConvInTime, VideoUNet, attention_in_time, conv_in_time
from common.pipelines.text_to_image import prompt_embeds
from common.text import TextEncoder
from common.zoo.captioned import VAE
from common.zoo.sprites_image.recipe import SIGMA_STD
from common.zoo.sprites_svd.recipe import captions
from common.zoo.sprites_unet_t2v.recipe import BASE, NO_PROMPT_PART, NUM_LONGER


@dataclass(frozen=True)
class Coded:
    """What the loss of a text-to-video model gets, for B clips.

    Attributes:
        x0: latents, `(B, C, T, H', W')`.
        states: of the prompts, `(B, L, D)`.
        no_states: of the empty prompt, `(1, L, D)`.
    """

    x0: torch.Tensor
    states: torch.Tensor
    no_states: torch.Tensor


def assembled(parts: Any, weights: str | None = "sprites-unet-t2v") -> VideoUNet:
    """The image model inflated with parts of one's own.

    Args:
        parts: has `inflate_unet`, `Conv2Plus1d` and `TemporalAttention` as attributes.
        weights: of what is new, by name; None for fresh layers, which are the identity.
    """
    model = VideoUNet.of(BASE, NUM_LONGER)
    image: Any = UNet2DConditionModel.from_pretrained(find(BASE))
    model.unet = parts.inflate_unet(
        image,
        partial(conv_in_time, frames=model.frames, kind=parts.Conv2Plus1d),
        partial(attention_in_time, frames=model.frames, kind=parts.TemporalAttention),
    )
    if weights is not None:
        model.load_state_dict(load_file(find(weights) / WEIGHTS))
    return model.eval()


def with_layer(parts: Any, temporal: Callable[[torch.nn.Module], torch.nn.Module]) -> VideoUNet:
    """The image model inflated with another layer along time behind each residual block, and with no attention.

    Args:
        parts: has `inflate_unet` and `Conv2Plus1d` as attributes.
        temporal: makes the layer for a residual block.
    """
    model = VideoUNet.of(BASE, NUM_LONGER)
    image: Any = UNet2DConditionModel.from_pretrained(find(BASE))
    conv = lambda block: ConvInTime(parts.Conv2Plus1d(block, temporal(block)), model.frames)  # noqa: E731
    model.unet = parts.inflate_unet(image, conv, lambda block: block)
    return model.eval()


@torch.no_grad()
def coded(clips: SpriteBatch) -> Coded:
    """Clips through the autoencoder, frame by frame, and their captions through the text encoder."""
    vae, num_frames = FrameVAE.from_pretrained(VAE), clips.pixels.shape[2]
    latents = vae.encode(rearrange(clips.clips(), "b c t h w -> (b t) c h w")).latent_dist.mode().float()
    states = prompt_embeds(TextEncoder.installed(), [*captions(clips), ""])
    return Coded(rearrange(latents, "(b t) c h w -> b c t h w", t=num_frames), states[:-1], states[-1:])


def levels(quantiles: torch.Tensor, num_frames: int) -> torch.Tensor:
    """The noise levels of training, for clips of so many frames, at quantiles from 0 to 1."""
    return shift_sigma((SIGMA_STD * torch.special.ndtri(quantiles)).exp(), num_frames)


@torch.no_grad()
def mean_loss(video_loss: Callable, model: Callable, given: Coded, seed: int = 0, num_draws: int = 1) -> float:
    """The mean loss over clips with their prompts, by the same noise for every model.

    Args:
        video_loss: as the library's.
        model: of video.
        given: the clips.
        seed: of the noise.
        num_draws: of noise, for each clip; their levels are spread evenly over those of training.
    """
    generator, count = torch.Generator().manual_seed(seed), len(given.x0)
    sigma = levels((torch.arange(count * num_draws) + 0.5) / (count * num_draws), given.x0.shape[2])
    total, nothing = 0.0, torch.zeros(count, dtype=torch.bool)
    for part in sigma.unflatten(0, (count, num_draws)).T:
        eps = torch.randn(given.x0.shape, generator=generator)
        total += video_loss(model, given.x0, eps, part, given.states, given.no_states, nothing).mean().item()
    return total / num_draws


def training_steps(
    video_loss: Callable, model: torch.nn.Module, given: Coded, num_steps: int, batch_size: int = 2, seed: int = 0,
    learning_rate: float = 1e-3,
) -> Iterator[float]:  # fmt: skip
    """Train what is not frozen by AdamW, with prompts dropped now and then; each step's loss.

    Args:
        video_loss, model, given: as in `mean_loss`.
        num_steps: of the optimizer.
        batch_size: clips per step.
        seed: of the noise and the batches.
        learning_rate: of AdamW.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=learning_rate)
    for _ in range(num_steps):
        part = torch.randint(len(given.x0), (batch_size,), generator=generator)
        x0 = given.x0[part]
        sigma = levels(torch.rand(batch_size, generator=generator).clamp(1e-3, 1 - 1e-3), x0.shape[2])
        eps = torch.randn(x0.shape, generator=generator)
        drop_text = torch.rand(batch_size, generator=generator) < NO_PROMPT_PART
        loss = video_loss(model, x0, eps, sigma, given.states[part], given.no_states, drop_text).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()
