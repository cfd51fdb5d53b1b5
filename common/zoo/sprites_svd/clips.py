"""Captioned clips as latents on the disk, each frame coded alone, and how fast each clip is for what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch

from common.data.sprites.attributes import SpriteScene
from common.data.sprites.one_object import OneObject
from common.data.sprites.render import render
from common.data.sprites.scenes import PAN, SPEEDS, ZOOM
from common.models.frame_autoencoder import encode_frames
from common.tensor_ops import from_uint8
from common.text import TextEncoder
from common.zoo.captioned import CaptionedLatents, captioned_latents
from common.zoo.sprites_image.frames import read_prompts

MIDDLE_BUCKET, LAST_BUCKET = 127, 255


def motion_bucket(scene: SpriteScene) -> int:
    """The motion bucket of a scene, from 0 to 255: where its speed is in the range that the world has for its words.

    With an object and a camera that both move it is the mean of the two; where nothing moves it is 127.
    """
    pairs = [(abs(item.speed), SPEEDS[item.motion]) for item in scene.objects if item.motion != "still"]
    if scene.camera != "still":
        pairs.append((scene.camera_speed, PAN if scene.camera.startswith("pan") else ZOOM))
    if not pairs:
        return MIDDLE_BUCKET
    return round(LAST_BUCKET * sum((speed - low) / (high - low) for speed, (low, high) in pairs) / len(pairs))


@dataclass(frozen=True)
class MovingObject:
    """The scenes of `OneObject` at the world's own eight frames per second.

    Attributes:
        split: `train` or `test`.
        num_frames, size: of the clips.
    """

    split: str = "train"
    num_frames: int = 17
    size: int = 64

    def batch(self, indices: Iterable[int]) -> dict:
        """`pixels` uint8 `(B, 3, T, size, size)`, `captions`, and `motion`, the motion buckets `(B,)`."""
        rendered = render(OneObject(self.split).scenes(indices), self.num_frames, self.size)
        motion = torch.tensor([motion_bucket(scene) for scene in rendered.scenes])
        return {"pixels": rendered.pixels, "captions": rendered.captions, "motion": motion}


def encode_each_frame(vae, batch: dict) -> torch.Tensor:
    """Latents `(B, C, T, H', W')` of a batch of clips."""
    return encode_frames(vae, from_uint8(batch["pixels"]).to(vae.device))


def captioned_clips(num_clips: int, num_frames: int, size: int) -> CaptionedLatents:
    """The first clips of the training split, with `motion` `(B,)` and `states` `(B + 1, L, 384)` of their captions.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    source, read = MovingObject("train", num_frames, size), partial(read_prompts, TextEncoder.installed())
    return captioned_latents(source, encode_each_frame, num_clips, f"moving-object-{num_frames}x{size}", read)
