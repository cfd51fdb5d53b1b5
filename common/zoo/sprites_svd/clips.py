"""Captioned clips as latents on the disk, each frame coded alone, and how fast each clip is for what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from accelerate import PartialState

from common.data.latent_cache import LatentCache, fill, weights_key
from common.data.sprites.attributes import SpriteScene
from common.data.sprites.one_object import OneObject
from common.data.sprites.render import render
from common.data.sprites.scenes import PAN, SPEEDS, ZOOM
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import encode_frames
from common.pipelines.text_to_image import prompt_embeds
from common.runtime import cache_dir, device
from common.tensor_ops import from_uint8
from common.text import TextEncoder

VAE = "sprites-vae"
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


@dataclass(frozen=True)
class CaptionedClips:
    """Samples by number, modulo that of the latents.

    Attributes:
        latents: of the clips, frame by frame.
        text_encoder: reads their captions.
        vae: whose config tells the latents' mean and standard deviation.
    """

    latents: LatentCache
    text_encoder: TextEncoder
    vae: CausalVideoVAE

    @property
    def key(self) -> str:
        return self.latents.key

    def batch(self, indices) -> dict:
        """`latents` normalised float32 `(B, C, T, H', W')`, `motion` `(B,)`, and `states` `(B + 1, L, 384)`.

        The states are those of the captions. The last text is the empty one, for prompts that are dropped.
        """
        found = self.latents.batch(indices)
        states = prompt_embeds(self.text_encoder, [*found.fields["captions"], ""])
        latents = self.vae.normalize(found.latents.float())
        return {"latents": latents, "motion": found.fields["motion"], "states": states}


def captioned_clips(num_clips: int, num_frames: int, size: int) -> CaptionedClips:
    """The first clips of the training split: drawn and encoded once, and kept in the user's cache.

    Of several processes of one run the first does it, and the others find it done.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    vae = CausalVideoVAE.from_pretrained(VAE).float().eval().requires_grad_(False)
    key, place = weights_key(vae), device()
    encode = lambda batch: encode_frames(vae.to(place), from_uint8(batch["pixels"]).to(place))  # noqa: E731
    folder = cache_dir() / "latents" / f"moving-object-{num_frames}x{size}-{key.split()[-1]}"
    with PartialState().main_process_first():
        latents = fill(folder, MovingObject("train", num_frames, size), encode, num_clips, encoder=key)
    return CaptionedClips(latents, TextEncoder.installed(), vae.cpu())
