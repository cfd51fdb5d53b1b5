"""Captioned frames as latents on the disk: each frame of a clip is coded alone, as image models do it."""

from dataclasses import dataclass

from accelerate import PartialState

from common.data.latent_cache import LatentCache, fill, weights_key
from common.data.sprites.one_object import OneObject
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import encode_frames
from common.pipelines.text_to_image import prompt_embeds
from common.runtime import cache_dir, device
from common.text import TextEncoder

VAE = "sprites-vae"


@dataclass(frozen=True)
class CaptionedFrames:
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
        """`latents` normalised float32 `(B, C, T, H', W')`, and `states` `(B + 1, L, 384)` of the captions.

        The last text is the empty one, for prompts that are dropped.
        """
        found = self.latents.batch(indices)
        states = prompt_embeds(self.text_encoder, [*found.fields["captions"], ""])
        return {"latents": self.vae.normalize(found.latents.float()), "states": states}


def captioned_frames(num_clips: int, num_frames: int, size: int) -> CaptionedFrames:
    """The first clips of `OneObject`'s training split: drawn and encoded once, and kept in the user's cache.

    Of several processes of one run the first does it, and the others find it done.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    vae = CausalVideoVAE.from_pretrained(VAE).float().eval().requires_grad_(False)
    key, place = weights_key(vae), device()
    encode = lambda batch: encode_frames(vae.to(place), batch.clips().to(place))  # noqa: E731
    folder = cache_dir() / "latents" / f"one-object-{num_frames}x{size}-{key.split()[-1]}"
    with PartialState().main_process_first():
        latents = fill(folder, OneObject(num_frames=num_frames, size=size), encode, num_clips, encoder=key)
    return CaptionedFrames(latents, TextEncoder.installed(), vae.cpu())
