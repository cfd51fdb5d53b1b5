"""Noise that belongs to a sample: the same numbers for the same index, however the batch is cut up."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch


class KeyedNoise:
    """Random numbers for the samples of a batch, a function of (seed, sample index, name) alone.

    Each draw has a name, and each pair of name and sample a stream of its own: neither the order of the draws, nor the
    other samples of the batch, nor the process or step that a sample falls into changes a number. The streams are
    those of the counter-based generator Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
    whose key is the pair.

    Args:
        seed: of the training run.
        indices: of the samples in the batch.
        device: where the tensors go. The numbers are drawn on the CPU, so that they are the same everywhere.
    """

    def __init__(self, seed: int, indices: Sequence[int], device: torch.device | str = "cpu"):
        self.seed, self.indices, self.device = seed, tuple(indices), torch.device(device)

    def normal(self, name: str, shape: Sequence[int] = ()) -> torch.Tensor:
        """Standard normal numbers, `(B, *shape)` float32, of the draw called `name`."""
        return self._draw(name, lambda stream: stream.standard_normal(tuple(shape), dtype=np.float32))

    def uniform(self, name: str, shape: Sequence[int] = ()) -> torch.Tensor:
        """Numbers from 0 up to, not including, 1: `(B, *shape)` float32, of the draw called `name`."""
        return self._draw(name, lambda stream: stream.random(tuple(shape), dtype=np.float32))

    def integers(self, name: str, below: int, shape: Sequence[int] = ()) -> torch.Tensor:
        """Whole numbers from 0 to `below - 1`: `(B, *shape)` int64, of the draw called `name`."""
        return self._draw(name, lambda stream: stream.integers(below, size=tuple(shape), dtype=np.int64))

    def _draw(self, name: str, draw) -> torch.Tensor:
        key = name_key(self.seed, name)
        samples = [draw(np.random.Generator(np.random.Philox(key=[key, index]))) for index in self.indices]
        return torch.from_numpy(np.stack(samples)).to(self.device)  # (B, *shape)


def name_key(seed: int, name: str) -> int:
    """64 bits that stand for a seed and a name."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little")
