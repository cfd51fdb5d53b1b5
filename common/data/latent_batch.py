"""Latents of some samples, and what else is known of each: what a latent cache writes down and hands out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import torch

SMALL = 256  # numbers a sample: tensors up to this size are carried along


@dataclass(frozen=True)
class LatentBatch:
    """Latents by number.

    Attributes:
        latents: float16 `(B, ...)`, as the encoder made them.
        fields: what else the data said of each sample: name -> B texts, or a tensor `(B, ...)`.
    """

    latents: torch.Tensor
    fields: dict[str, tuple[str, ...] | torch.Tensor]

    def __len__(self) -> int:
        return len(self.latents)

    def to(self, device=None, dtype=None) -> "LatentBatch":
        """The same batch elsewhere; `dtype` is for the latents alone."""
        moved = {
            name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in self.fields.items()
        }
        return replace(self, latents=self.latents.to(device=device, dtype=dtype), fields=moved)


def small_fields(batch: Any, num_samples: int) -> dict[str, tuple[str, ...] | torch.Tensor]:
    """What a batch says of each of its samples: texts, and tensors of at most `SMALL` numbers a sample.

    Args:
        batch: a dataclass or a dictionary; anything else says nothing.
        num_samples: B, in it.
    """
    if is_dataclass(batch):
        items = {field.name: getattr(batch, field.name) for field in fields(batch)}
    else:
        items = dict(batch) if isinstance(batch, Mapping) else {}
    found = {}
    for name, value in items.items():
        if isinstance(value, torch.Tensor):
            if value.ndim and len(value) == num_samples and value[0].numel() <= SMALL:
                found[name] = value.detach().cpu()
        elif isinstance(value, tuple | list) and len(value) == num_samples and all(isinstance(v, str) for v in value):
            found[name] = tuple(value)
    return found


def joined(pieces: Sequence[LatentBatch], order: Sequence[int]) -> LatentBatch:
    """Pieces of the same fields one after the other, and of the whole the samples `order`."""
    names = pieces[0].fields
    return LatentBatch(
        _join([piece.latents for piece in pieces], order),
        {name: _join([piece.fields[name] for piece in pieces], order) for name in names},
    )


def _join(values: list, order: Sequence[int]):
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values)[list(order)]
    together = [text for texts in values for text in texts]
    return tuple(together[position] for position in order)
