"""How good `sprites-svd` is: whether pictures move as the prompt says, and stay what they are.

Every clip begins with the first frame of a test clip and has its caption: of a `large` object before a still camera, or
of `any` object of the world. It has 14 frames, eight per second; `sparse` ones of large objects have eight frames, four
per second. `first_frame` is the PSNR of the first frame, in dB, and `loss` the mean loss on `sparse` clips. Beside it:

- `shuffled/`: the same clips, read against the captions of other clips.
- `copy/`: the picture as every frame.
- `frame_by_frame/`: the image model on each frame, which sees no picture.
- `spatial/`: this model without its temporal layers.
"""

from collections.abc import Callable
from functools import partial

import torch
from einops import rearrange, repeat

from common.data.sprites.render import SpriteBatch
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import as_image_model, at_spatial
from common.pipelines.text_to_image import prompt_embeds
from common.text import TextEncoder
from common.training import KeyedNoise
from common.zoo.captioned import VAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_svd.clips import motion_bucket
from common.zoo.sprites_svd.recipe import (
    JUDGED,
    KINDS,
    animate,
    asked,
    captions,
    compute_loss,
    judge,
    sparse,
)

SETTINGS = {"small": 4, "full": 64}  # setting -> clips of each kind
BATCH = 16
NUM_DRAWS = 4  # of the noise for the loss, per clip


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card: names such as `large/motion` and `copy/large/motion`.

    Args:
        model: an `InflatedUNet`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips, found = pick_setting(SETTINGS, setting), {}
    large, image_model = asked("large", num_clips), as_image_model(model)
    rows = [(kind, partial(moved, model), asked(kind, num_clips)) for kind in KINDS]
    rows += [
        ("copy/large", copied, large),
        ("frame_by_frame/large", partial(moved, image_model), large),
        ("spatial/large", partial(moved, at_spatial(model)), large),
        ("sparse", partial(moved, model), sparse(KINDS[0], num_clips)),
    ]
    for done, (name, make, clips) in enumerate(rows, start=1):
        made = make(clips)
        found |= {f"{name}/{measure}": value for measure, value in judge(clips, made, clips.fps).items()}
        if name == "large":
            found |= shuffled(clips, made)
        if progress is not None:
            progress(done / len(rows))
    few = sparse(KINDS[0], num_clips)
    return found | {"loss": loss(model, few), "frame_by_frame/loss": loss(image_model, few)}


def moved(model, clips: SpriteBatch) -> torch.Tensor:
    """What the model makes of the first frames and captions of clips, `(B, 3, T, H, W)`."""
    made = []
    for start in range(0, len(clips), BATCH):
        chosen = range(start, min(start + BATCH, len(clips)))
        part = SpriteBatch(clips.pixels[chosen.start : chosen.stop], clips.scenes[start : chosen.stop], (), clips.fps)
        made.append(animate(model, part, captions(part), start).cpu())
    return torch.cat(made)


@torch.no_grad()
def copied(clips: SpriteBatch) -> torch.Tensor:
    """The first frame, as the autoencoder gives it back, as every frame."""
    first = FrameVAE.from_pretrained(VAE)(clips.clips()[:, :, 0]).sample.clamp(-1, 1)
    return repeat(first, "b c h w -> b c t h w", t=clips.pixels.shape[2])


def shuffled(clips: SpriteBatch, made: torch.Tensor) -> dict[str, float]:
    """How often clips show what was asked of other clips."""
    words = [scene.words for scene in clips.scenes]
    right = accuracy(words[1:] + words[:1], read_sprites(made, clips.fps))
    return {f"shuffled/large/{name}": right[name] for name in JUDGED}


def loss(model, clips: SpriteBatch) -> float:
    """The mean loss of a model on clips, by the same noise for every model."""
    vae, size = FrameVAE.from_pretrained(VAE), clips.pixels.shape[2]
    latents = vae.encode(rearrange(clips.clips(), "b c t h w -> (b t) c h w")).latent_dist.mode()
    latents = rearrange(latents, "(b t) c h w -> b c t h w", t=size)
    states = prompt_embeds(TextEncoder.installed(), [*captions(clips), ""])
    motion, total = torch.tensor([motion_bucket(scene) for scene in clips.scenes]), 0.0
    for draw in range(NUM_DRAWS):
        for start in range(0, len(clips), BATCH):
            part = range(start, min(start + BATCH, len(clips)))
            batch = {"latents": latents[start : part.stop], "motion": motion[start : part.stop],
                     "states": torch.cat([states[start : part.stop], states[-1:]])}  # fmt: skip
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            total += float(compute_loss(model, batch, KeyedNoise(draw, part, model.device))["loss"]) * len(part)
    return total / len(clips) / NUM_DRAWS
