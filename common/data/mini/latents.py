"""What models of the `mini` world are trained on: captioned latents, all of them in memory, or pixels drawn afresh."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from common.data.latent_cache import LatentCache
from common.data.mini.world import MiniSprites


@dataclass(frozen=True)
class MiniLatents:
    """Samples by number, modulo that of the latents; made by `MiniLatents.load`.

    Attributes:
        latents: `(N, C, T', H', W')` float32, normalised unless `load` was told otherwise.
        captions: N of them.
        texts: `(N,)`, which of the states belongs to each sample.
        states: of each distinct caption and, last, of the empty text: `(M + 1, L, D)`.
        mask: bool `(M + 1, L)`, True for a token.
        key: which latents these are.
    """

    latents: torch.Tensor
    captions: tuple[str, ...]
    texts: torch.Tensor
    states: torch.Tensor
    mask: torch.Tensor
    key: str

    @classmethod
    def load(cls, cache: LatentCache, read, normalize=lambda latents: latents) -> "MiniLatents":
        """Read a whole cache.

        Args:
            cache: of captioned latents.
            read: a list of texts to an object with `.states` `(B, L, D)` and `.mask` `(B, L)`, as `TextEncoder` does.
            normalize: raw latents to those that a diffusion model sees.
        """
        found = cache.batch(range(len(cache)))
        captions = found.fields["captions"]
        distinct = sorted(set(captions))
        text, number = read([*distinct, ""]), {caption: k for k, caption in enumerate(distinct)}
        texts = torch.tensor([number[caption] for caption in captions])
        return cls(normalize(found.latents.float()), captions, texts, text.states, text.mask, cache.key)

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """`latents` `(B, C, T', H', W')`; `states` and `mask` of their captions and, last, of the empty text: B + 1."""
        chosen = torch.tensor([int(index) % len(self) for index in indices])
        rows = torch.cat([self.texts[chosen], torch.tensor([len(self.states) - 1])])  # (B + 1,)
        return {"latents": self.latents[chosen], "states": self.states[rows], "mask": self.mask[rows]}


@dataclass(frozen=True)
class MiniPixels:
    """Captioned clips by number, modulo that of the clips; made by `MiniPixels.load`. Each is drawn when it is needed.

    Attributes:
        clips: of which world.
        encode: clips in [-1, 1] to what the model sees, `(B, C, T', H', W')`.
        num_clips: N, the first ones.
        texts, states, mask: as in `MiniLatents`.
    """

    clips: MiniSprites
    encode: Callable[[torch.Tensor], torch.Tensor]
    num_clips: int
    texts: torch.Tensor
    states: torch.Tensor
    mask: torch.Tensor

    @classmethod
    def load(cls, clips: MiniSprites, read, encode: Callable, num_clips: int) -> "MiniPixels":
        """Read the captions of the first clips; arguments as the attributes, `read` as in `MiniLatents.load`."""
        captions = MiniSprites(clips.split, num_frames=1, size=8).batch(range(num_clips)).captions
        distinct = sorted(set(captions))
        text, number = read([*distinct, ""]), {caption: k for k, caption in enumerate(distinct)}
        texts = torch.tensor([number[caption] for caption in captions])
        return cls(clips, encode, num_clips, texts, text.states, text.mask)

    @property
    def key(self) -> str:
        return f"{self.num_clips} clips of [{self.clips.key}]"

    def __len__(self) -> int:
        return self.num_clips

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """As `MiniLatents.batch`."""
        chosen = torch.tensor([int(index) % len(self) for index in indices])
        rows = torch.cat([self.texts[chosen], torch.tensor([len(self.states) - 1])])  # (B + 1,)
        latents = self.encode(self.clips.batch(chosen.tolist()).clips())
        return {"latents": latents, "states": self.states[rows], "mask": self.mask[rows]}
