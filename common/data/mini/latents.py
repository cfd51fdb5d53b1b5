"""Captioned latents of the `mini` world, all of them in memory: a batch costs next to nothing beside a step."""

from dataclasses import dataclass

import torch

from common.data.latent_cache import LatentCache


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
