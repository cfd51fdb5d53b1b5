"""How well a tokenizer uses its codebook: codes used, perplexity, and the levels of each channel."""

import math
from collections.abc import Sequence

import torch


def codebook_usage(indices: torch.Tensor, size: int) -> float:
    """The part of the codebook that occurs at least once, from 0 to 1.

    Args:
        indices: integers of any shape, from 0 to size - 1.
        size: K, the number of codes.

    Raises:
        ValueError: an index is outside the codebook, or there is none.
    """
    return float((histogram(indices, size) > 0).double().mean())


def codebook_perplexity(indices: torch.Tensor, size: int) -> float:
    """How many codes would be in use if all of them were used equally often: exp of the entropy of their frequencies.

    It is 1 if one code does everything, and K if all occur equally often. N indices give N at most. So a perplexity
    belongs to a number of clips, and few clips say little about a large codebook.

    Args:
        indices: integers of any shape, from 0 to size - 1.
        size: K, the number of codes.

    Raises:
        ValueError: an index is outside the codebook, or there is none.
    """
    counts = histogram(indices, size).double()
    return float(torch.special.entr(counts / counts.sum()).sum().exp())


def level_usage(indices: torch.Tensor, levels: Sequence[int]) -> list[torch.Tensor]:
    """How often each level of each channel occurs, for tokens whose first channel is the lowest digit, as in FSQ.

    Args:
        indices: integers of any shape, from 0 to the product of the levels - 1.
        levels: L of each channel.

    Returns:
        For each channel the shares of its levels `(L,)`, float64, which sum to 1.

    Raises:
        ValueError: an index is outside the codebook, or there is none.
    """
    counts = histogram(indices, math.prod(levels)).double()
    grid = (counts / counts.sum()).reshape(*reversed(levels))  # the first channel is the last axis
    axes = range(len(levels))
    others = [tuple(axis for axis in axes if axis != len(levels) - 1 - channel) for channel in axes]
    return [grid.sum(dim=kept) if kept else grid for kept in others]


def histogram(indices: torch.Tensor, size: int) -> torch.Tensor:
    """How often each code occurs, int64 `(size,)`.

    Raises:
        ValueError: an index is outside the codebook, or there is none.
    """
    flat = indices.flatten()
    if not len(flat):
        raise ValueError("no indices to count")
    if int(flat.min()) < 0 or int(flat.max()) >= size:
        raise ValueError(f"indices are from 0 to {size - 1}, got {int(flat.min())} to {int(flat.max())}")
    return torch.bincount(flat, minlength=size)
