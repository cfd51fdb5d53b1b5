"""Packing: clips of different sizes end to end in one sequence, each of which attends to itself alone.

Patch n' Pack (NaViT, Dehghani et al. 2023, arXiv:2307.06304). No token is padding, and a batch needs no common shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Packed:
    """Several sequences as one.

    Attributes:
        tokens: `(1, N, ...)`, where N is the sum of the lengths.
        mask: bool `(N, N)`, True for "may look": a square on the diagonal for each sequence.
        lengths: of the sequences, in order.
    """

    tokens: torch.Tensor
    mask: torch.Tensor
    lengths: list[int]


def block_diagonal_mask(lengths: Sequence[int], device=None) -> torch.Tensor:
    """The mask of packed sequences: bool `(N, N)`, True where both tokens belong to the same one."""
    owner = torch.arange(len(lengths), device=device).repeat_interleave(torch.tensor(lengths, device=device))
    return owner[:, None] == owner[None, :]


def pack(sequences: Sequence[torch.Tensor]) -> Packed:
    """Put sequences end to end.

    Whatever belongs to a token is packed likewise: its rotation above all, since places begin anew in each clip.

    Args:
        sequences: `(N_i, ...)` each, of any lengths; what follows is the same in all.

    Returns:
        The tokens in one sequence, and the mask with which attention gives what it gives for each alone.

    Raises:
        ValueError: there is none, or one is empty.
    """
    lengths = [len(sequence) for sequence in sequences]
    if not lengths or min(lengths) < 1:
        raise ValueError(f"pack takes one or more sequences of one or more tokens, got lengths {lengths}")
    tokens = torch.cat(list(sequences))
    return Packed(tokens[None], block_diagonal_mask(lengths, tokens.device), lengths)


def unpack(tokens: torch.Tensor, lengths: Sequence[int]) -> list[torch.Tensor]:
    """The way back: `(1, N, ...)` to the sequences, `(N_i, ...)` each.

    Raises:
        ValueError: the lengths do not add up to N, or the batch is not 1.
    """
    if tokens.shape[0] != 1 or sum(lengths) != tokens.shape[1]:
        raise ValueError(
            f"lengths {list(lengths)} are {sum(lengths)} tokens of one sequence, got {tuple(tokens.shape)}"
        )
    return list(tokens[0].split(list(lengths)))
