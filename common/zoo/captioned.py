"""Captioned clips as latents on the disk, and their captions read by a text encoder: what prompted models train on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from accelerate import PartialState

from common.data.latent_cache import LatentCache, fill, weights_key
from common.models.autoencoder import CausalVideoVAE
from common.runtime import cache_dir, device

VAE = "sprites-vae"


@dataclass(frozen=True)
class CaptionedLatents:
    """Samples by number, modulo that of the latents.

    Attributes:
        latents: of the clips, as the autoencoder made them, with their captions.
        vae: whose config tells the latents' mean and standard deviation.
        read: reads a list of texts, and gives tensors by name, such as `states`.
    """

    latents: LatentCache
    vae: CausalVideoVAE
    read: Callable[[list[str]], dict]

    @property
    def key(self) -> str:
        return self.latents.key

    def batch(self, indices) -> dict:
        """`latents` normalised float32 `(B, C, T', H', W')`, what `read` gives, and the clips' other fields.

        There is a text more than clips, the last: the empty one, for prompts that are dropped.
        """
        found = self.latents.batch(indices)
        others = {name: value for name, value in found.fields.items() if name != "captions"}
        latents = self.vae.normalize(found.latents.float())
        return {"latents": latents} | others | self.read([*found.fields["captions"], ""])


def captioned_latents(
    source: Any,
    encode: Callable[[CausalVideoVAE, Any], torch.Tensor],
    num_clips: int,
    name: str,
    read: Callable[[list[str]], dict],
) -> CaptionedLatents:
    """The first clips of a source: drawn and encoded once, and kept in the user's cache.

    Of several processes of one run the first does it, and the others find it done.

    Args:
        source: of the clips, as `fill` takes it.
        encode: the autoencoder and a batch of the source -> latents `(B, C, T', H', W')`.
        num_clips: how many.
        name: of the cache's folder.
        read: as in `CaptionedLatents`.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    vae = CausalVideoVAE.from_pretrained(VAE).float().eval().requires_grad_(False)
    key, vae = weights_key(vae), vae.to(device())
    folder = cache_dir() / "latents" / f"{name}-{key.split()[-1]}"
    with PartialState().main_process_first():
        latents = fill(folder, source, partial(encode, vae), num_clips, encoder=key)
    return CaptionedLatents(latents, vae.cpu(), read)
