"""Captioned frames as latents on the disk: each frame of a clip is coded alone, as image models do it."""

from functools import partial

from common.data.sprites.one_object import OneObject
from common.models.frame_autoencoder import encode_frames
from common.pipelines.text_to_image import prompt_embeds
from common.text import TextEncoder
from common.zoo.captioned import CaptionedLatents, captioned_latents


def read_prompts(text_encoder: TextEncoder, prompts: list[str]) -> dict:
    """`states` of prompts, `(B, L, 384)`, as diffusers' pipelines take them."""
    return {"states": prompt_embeds(text_encoder, prompts)}


def encode_each_frame(vae, batch):
    """Latents `(B, C, T, H', W')` of a batch of clips."""
    return encode_frames(vae, batch.clips().to(vae.device))


def captioned_frames(num_clips: int, num_frames: int, size: int) -> CaptionedLatents:
    """The first clips of `OneObject`'s training split, with `states` `(B + 1, L, 384)` of their captions.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    source, read = OneObject(num_frames=num_frames, size=size), partial(read_prompts, TextEncoder.installed())
    return captioned_latents(source, encode_each_frame, num_clips, f"one-object-{num_frames}x{size}", read)
