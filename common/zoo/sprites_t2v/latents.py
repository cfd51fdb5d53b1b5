"""Captioned clips of the training split, as latents on the disk and states of their captions."""

from dataclasses import dataclass

from accelerate import PartialState

from common.data.latent_cache import LatentCache, fill, weights_key
from common.data.sprites import SpriteData
from common.models.autoencoder import CausalVideoVAE
from common.progress import progress_bar
from common.runtime import cache_dir, device
from common.text import TextEncoder

VAE = "sprites-vae"
READ_AT_ONCE = 1024  # captions: many of them have the same length, and are read together


@dataclass(frozen=True)
class CaptionedLatents:
    """Samples by number, modulo that of the latents.

    Attributes:
        latents: of the clips, as the autoencoder made them.
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
        """`latents` normalised float32 `(B, C, T', H', W')`; `states` and `mask` of the captions.

        There is a text more than clips, the last: the empty one, for prompts that are dropped.
        """
        found = self.latents.batch(indices)
        text = self.text_encoder([*found.fields["captions"], ""])  # (B + 1, L, D)
        return {"latents": self.vae.normalize(found.latents.float()), "states": text.states, "mask": text.mask}


def captioned_latents(num_clips: int, num_frames: int, size: int) -> CaptionedLatents:
    """The first clips of the training split: encoded once, their captions read once, all kept in the user's cache.

    Of several processes of one run the first does it, and the others find it done.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    vae = CausalVideoVAE.from_pretrained(VAE).float().eval().requires_grad_(False)
    key, place = weights_key(vae), device()
    encode = lambda batch: vae.to(place).encode(batch.clips().to(place)).latent_dist.mode()  # noqa: E731
    folder = cache_dir() / "latents" / f"sprites-{num_frames}x{size}-{key.split()[-1]}"
    text_encoder = TextEncoder.installed()
    with PartialState().main_process_first():
        latents = fill(folder, SpriteData(num_frames=num_frames, size=size), encode, num_clips, encoder=key)
        for start in progress_bar(range(0, num_clips, READ_AT_ONCE), desc="captions", delay=2):
            chosen = range(start, min(start + READ_AT_ONCE, num_clips))
            text_encoder(latents.batch(chosen).fields["captions"])
    return CaptionedLatents(latents, text_encoder, vae.cpu())
