"""The first training steps of `sprites-svd`, small enough for a page: coded clips, a loss at fixed noise, a short loop.

given = coded(sparse("large", 4))
mean_loss(i2v_loss, model, given)
for value in training_steps(i2v_loss, model, given, num_steps=10): ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from einops import rearrange
from safetensors.torch import load_file

from common.data.sprites.render import SpriteBatch
from common.diffusion.image_to_video import added_time_ids
from common.models.frame_vae import FrameVAE
from common.models.inflated_unet import video_config
from common.models.shipped import WEIGHTS, find
from common.models.temporal_parts import with_own_layers
from common.pipelines.text_to_image import prompt_embeds
from common.text import TextEncoder
from common.zoo.captioned import VAE
from common.zoo.sprites_svd.clips import motion_bucket
from common.zoo.sprites_svd.recipe import BASE, NUM_FRAMES, SIGMA_MEAN, SIGMA_STD, captions

DROPPED = 0.1  # of the samples lack the picture in training, and as many the prompt


@dataclass(frozen=True)
class Coded:
    """What the loss of an image-to-video model gets, for B clips.

    Attributes:
        x0: latents, `(B, C, T, H', W')`.
        picture: those of the first frames, `(B, C, H', W')`.
        states: of the prompts, `(B, L, D)`.
        time_ids: added ids, `(B, 3)`.
        no_states: of the empty prompt, `(1, L, D)`.
    """

    x0: torch.Tensor
    picture: torch.Tensor
    states: torch.Tensor
    time_ids: torch.Tensor
    no_states: torch.Tensor

    def __len__(self) -> int:
        return len(self.x0)

    def take(self, indices: torch.Tensor) -> "Coded":
        """The clips with these numbers."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Coded(**{name: x if name == "no_states" else x[indices] for name, x in parts.items()})


def assembled(parts: Any, weights: str | None = "sprites-svd", base: str = BASE) -> UNetSpatioTemporalConditionModel:
    """The image model, inflated, with temporal layers of one's own.

    Args:
        parts: has `inflate`, `TemporalResnetBlock`, `AlphaBlender` and `TemporalTransformerBlock` as attributes.
        weights: of what is new, by name; None for diffusers' random ones.
        base: the image model's.
    """
    image: Any = UNet2DConditionModel.from_pretrained(find(base))
    model = UNetSpatioTemporalConditionModel(**video_config(image, 2 * image.config.in_channels), num_frames=NUM_FRAMES)
    state = parts.inflate(image.state_dict(), model.state_dict())
    model.load_state_dict(state | (load_file(find(weights) / WEIGHTS) if weights else {}))
    return with_own_layers(model.eval(), parts)


@torch.no_grad()
def coded(clips: SpriteBatch) -> Coded:
    """Clips through the autoencoder, their captions through the text encoder. No noise is on the pictures."""
    vae, num_frames = FrameVAE.from_pretrained(VAE), clips.pixels.shape[2]
    latents = vae.encode(rearrange(clips.clips(), "b c t h w -> (b t) c h w")).latent_dist.mode().float()
    x0 = rearrange(latents, "(b t) c h w -> b c t h w", t=num_frames)
    states = prompt_embeds(TextEncoder.installed(), [*captions(clips), ""])
    motion = torch.tensor([motion_bucket(scene) for scene in clips.scenes])
    ids = added_time_ids(torch.full((len(x0),), clips.fps), motion, torch.zeros(len(x0)))
    return Coded(x0, x0[:, :, 0], states[:-1], ids, states[-1:])


@torch.no_grad()
def mean_loss(i2v_loss: Callable, model: Callable, given: Coded, seed: int = 0, num_draws: int = 1) -> float:
    """The mean loss over clips with nothing dropped, by the same noise for every model.

    Args:
        i2v_loss: takes what `common.diffusion.image_to_video.i2v_loss` takes.
        model: a video model.
        given: the clips.
        seed: of the noise.
        num_draws: of the noise, for each clip. Its levels are spread evenly over the quantiles of those of training.
    """
    generator, count = torch.Generator().manual_seed(seed), len(given)
    sigma = levels((torch.arange(count * num_draws) + 0.5) / (count * num_draws))
    total, nothing = 0.0, torch.zeros(count, dtype=torch.bool)
    for part in sigma.unflatten(0, (count, num_draws)).T:
        eps = torch.randn(given.x0.shape, generator=generator)
        total += i2v_loss(model, given.x0, eps, part, given.picture, given.states, given.time_ids, given.no_states,
                          nothing, nothing).mean().item()  # fmt: skip
    return total / num_draws


def levels(quantiles: torch.Tensor) -> torch.Tensor:
    """The noise levels of training at quantiles from 0 to 1."""
    return (SIGMA_MEAN + SIGMA_STD * torch.special.ndtri(quantiles)).exp()


def training_steps(
    i2v_loss: Callable, model: torch.nn.Module, given: Coded, num_steps: int, batch_size: int = 2, seed: int = 0,
    learning_rate: float = 1e-3,
) -> Iterator[float]:  # fmt: skip
    """Train what is not frozen by AdamW, with pictures and prompts dropped now and then.

    Args:
        i2v_loss, model, given: as in `mean_loss`.
        num_steps: of the optimizer.
        batch_size: clips per step.
        seed: of the noise and the batches.
        learning_rate: of AdamW.

    Yields:
        the loss of each step.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=learning_rate)
    for _ in range(num_steps):
        part = given.take(torch.randint(len(given), (batch_size,), generator=generator))
        sigma = levels(torch.rand(batch_size, generator=generator).clamp(1e-3, 1 - 1e-3))
        eps = torch.randn(part.x0.shape, generator=generator)
        drop_picture, drop_text = torch.rand(2, batch_size, generator=generator) < DROPPED
        loss = i2v_loss(model, part.x0, eps, sigma, part.picture, part.states, part.time_ids, part.no_states,
                        drop_picture, drop_text).mean()  # fmt: skip
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def hearing(model: torch.nn.Module, loss: Callable[[], torch.Tensor], names: Sequence[str]) -> list[int]:
    """How many of some tensors get a gradient in the first and in the second step of gradient descent.

    Args:
        model: it is left as it was.
        loss: of the model as it is when it is called.
        names: of the tensors.
    """
    parameters = [model.get_parameter(name) for name in names]
    before, counts = [parameter.detach().clone() for parameter in parameters], []
    for _ in range(2):
        gradients = torch.autograd.grad(loss(), parameters, allow_unused=True)
        counts.append(sum(gradient is not None and bool(gradient.any()) for gradient in gradients))
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients):
                parameter -= 0.1 * (0 if gradient is None else gradient)
    with torch.no_grad():
        for parameter, kept in zip(parameters, before):
            parameter.copy_(kept)
    return counts
