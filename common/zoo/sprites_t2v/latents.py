"""Captioned clips of the training split, as latents on the disk and states of their captions."""

from functools import partial

import torch
from accelerate import PartialState

from common.data.sprites import SpriteData
from common.models.autoencoder import CausalVideoVAE
from common.progress import progress_bar
from common.text import TextEncoder
from common.zoo.captioned import CaptionedLatents, captioned_latents

READ_AT_ONCE = 1024  # captions: many of them have the same length, and are read together


def read_with_mask(text_encoder: TextEncoder, texts: list[str]) -> dict:
    """`states` `(B, L, D)` and `mask` of texts."""
    text = text_encoder(texts)
    return {"states": text.states, "mask": text.mask}


def encode_clip(vae: CausalVideoVAE, batch) -> torch.Tensor:
    """Latents `(B, C, T', H', W')` of a batch of clips."""
    return vae.encode(batch.clips().to(vae.device)).latent_dist.mode()


def sprite_latents(num_clips: int, num_frames: int, size: int) -> CaptionedLatents:
    """The first clips of the training split, with `states` and `mask` of their captions, which are read once, too.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    text_encoder, source = TextEncoder.installed(), SpriteData(num_frames=num_frames, size=size)
    read = partial(read_with_mask, text_encoder)
    found = captioned_latents(source, encode_clip, num_clips, f"sprites-{num_frames}x{size}", read)
    with PartialState().main_process_first():
        for start in progress_bar(range(0, num_clips, READ_AT_ONCE), desc="captions", delay=2):
            chosen = range(start, min(start + READ_AT_ONCE, num_clips))
            text_encoder(found.latents.batch(chosen).fields["captions"])
    return found
