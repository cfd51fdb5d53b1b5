"""Quantization of latents: finite scalar quantization (FSQ) and lookup-free quantization (LFQ).

A codebook maps a continuous latent to one of K tokens. VQ-VAE (arXiv:1711.00937) learns K vectors and looks up the
nearest. The two here have nothing to look up: the codebook is a grid, fixed once and for all, and a token is the number
of a grid point. FSQ (Mentzer et al. 2023, arXiv:2309.15505) rounds every channel to one of a few levels. LFQ (Yu et al.
2023, MAGVIT-v2, arXiv:2310.05737) keeps the sign of every channel, and needs an entropy loss to use all its codes.

The channel axis is axis 1 everywhere, so the same functions take vectors `(N, C)` and clips' latents `(B, C, T, H, W)`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

LEVELS = (8, 8, 8, 5, 5, 5)  # 64,000 codes: the paper's proposal for about 2^16
EPSILON = 1e-3  # how far the bound reaches beyond the outermost levels


def bound(z: torch.Tensor, levels: Sequence[int]) -> torch.Tensor:
    """Squash each channel so that rounding it gives exactly its number of levels L (FSQ, section 3.1 and appendix A.1).

        h = (L - 1) (1 + 1e-3) / 2,   o = ½ for even L, 0 for odd L,   bound(z) = h · tanh(z + artanh(o / h)) - o

    Rounded, an odd channel has the integers -(L - 1) / 2 … (L - 1) / 2. An even one has -L / 2 … L / 2 - 1: no integer
    grid with an even number of points has its centre at 0. The half o moves the range down to fit that grid, and the
    shift inside the tanh undoes this at the origin: bound(0) is 0 for every L.

    Args:
        z: `(B, C, ...)`, any real numbers.
        levels: C of them, each at least 3.

    Returns:
        `(B, C, ...)`, between the outermost levels and 1e-3 · h beyond them.

    Raises:
        ValueError: there are not as many levels as channels.
    """
    counts = by_channel(z, levels)
    half = (counts - 1).to(z) * (1 + EPSILON) / 2
    offset = torch.where(counts % 2 == 0, 0.5, 0.0).to(z)
    return half * torch.tanh(z + torch.atanh(offset / half)) - offset


def round_straight_through(z: torch.Tensor) -> torch.Tensor:
    """Round to the nearest integer; the gradient passes as if nothing had been done (Bengio et al., arXiv:1308.3432).

    Rounding has slope 0 almost everywhere, so without this no gradient would ever reach the encoder.

    Args:
        z: floats of any shape.

    Returns:
        The same shape and dtype. Halves go to the even integer, as with `torch.round`.
    """
    return z + (z.round() - z).detach()


def codes_to_indices(codes: torch.Tensor, levels: Sequence[int]) -> torch.Tensor:
    """Codes to tokens: the levels of a place are the digits of one integer, the first channel's the lowest.

        index = Σ_c d_c Π_{j<c} L_j,   d_c = code_c · ⌊L_c / 2⌋ + ⌊L_c / 2⌋, which is 0 … L_c - 1

    Args:
        codes: `(B, C, ...)` in [-1, 1], as `FSQ` gives them.
        levels: C of them.

    Returns:
        int64 `(B, ...)`, from 0 to Π L - 1.
    """
    half = by_channel(codes, levels) // 2
    digits = (codes.detach() * half + half).round().long()  # (B, C, ...)
    return (digits * by_channel(digits, place_values(levels))).sum(dim=1)


def indices_to_codes(indices: torch.Tensor, levels: Sequence[int]) -> torch.Tensor:
    """Tokens to codes: the inverse of `codes_to_indices`.

        d_c = ⌊index / Π_{j<c} L_j⌋ mod L_c,   code_c = (d_c - ⌊L_c / 2⌋) / ⌊L_c / 2⌋

    Args:
        indices: int64 `(B, ...)`.
        levels: C of them, each at least 2; their product, the number of codes, is at most 2²⁴.

    Returns:
        float32 `(B, C, ...)` in [-1, 1].

    Raises:
        ValueError: an index is outside the codebook.
    """
    size = math.prod(levels)
    if indices.numel() and not 0 <= int(indices.min()) <= int(indices.max()) < size:
        raise ValueError(f"indices are from 0 to {size - 1}, got {int(indices.min())} to {int(indices.max())}")
    spread = indices.unsqueeze(1).expand(indices.shape[0], len(levels), *indices.shape[1:])
    counts = by_channel(spread, levels)
    digits = spread // by_channel(spread, place_values(levels)) % counts  # (B, C, ...)
    half = counts // 2
    return (digits - half).float() / half


class FSQ(nn.Module):
    """Finite scalar quantization (arXiv:2309.15505): bound, round, divide. It has no parameters and no loss of its own.

    Args:
        levels: L of each channel, at least 3. An odd L has the codes -1 … 1, an even one -1 … 1 - 2 / L.

    Raises:
        ValueError: a channel has fewer levels. With two, the half shift would reach the end of the tanh.
    """

    def __init__(self, levels: Sequence[int] = LEVELS):
        super().__init__()
        if not levels or min(levels) < 3:
            raise ValueError(f"every channel has at least 3 levels, got {tuple(levels)}; for signs there is LFQ")
        self.levels = tuple(levels)

    @property
    def codebook_size(self) -> int:
        """The product of the levels."""
        return math.prod(self.levels)

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quantize.

        Args:
            z: `(B, C, ...)`, C as many as levels.

        Returns:
            The codes `(B, C, ...)` in [-1, 1], at least float32, through which gradients pass straight; and their
            indices `(B, ...)`, int64.
        """
        z = z.to(torch.promote_types(z.dtype, torch.float32))  # in half precision a level could be missed
        codes = round_straight_through(bound(z, self.levels)) / (by_channel(z, self.levels) // 2)
        return codes, codes_to_indices(codes, self.levels)


class LFQ(nn.Module):
    """Lookup-free quantization (MAGVIT-v2, arXiv:2310.05737): the sign of each channel, 2^C codes, straight-through.

    Args:
        num_bits: C.
    """

    def __init__(self, num_bits: int):
        super().__init__()
        if num_bits < 1:
            raise ValueError(f"a token has at least one bit, got {num_bits}")
        self.num_bits = num_bits

    @property
    def codebook_size(self) -> int:
        """2 to the number of bits."""
        return 2**self.num_bits

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quantize.

        Args:
            z: `(B, C, ...)`.

        Returns:
            The codes `(B, C, ...)`: 1 where z > 0, else -1, through which gradients pass straight. And their indices
            `(B, ...)`, int64: Σ_c 2^c [z_c > 0] (equation 3, counted from 0).
        """
        worth = by_channel(z, place_values((2,) * self.num_bits))
        sign = torch.where(z > 0, 1.0, -1.0).to(z)
        return z + (sign - z).detach(), ((z > 0) * worth).sum(dim=1)


@dataclass(frozen=True)
class EntropyLoss:
    """What `lfq_entropy_loss` found, scalars.

    Attributes:
        per_sample: the mean entropy of one place's distribution over the codes, nats. Low: every choice is clear.
        of_mean: the entropy of the mean distribution, nats. High: all codes are used.
        loss: per_sample - gamma · of_mean.
    """

    per_sample: torch.Tensor
    of_mean: torch.Tensor
    loss: torch.Tensor


def lfq_entropy_loss(z: torch.Tensor, temperature: float = 0.5, gamma: float = 1.0) -> EntropyLoss:
    """The entropy loss that makes LFQ use its codes (MAGVIT-v2, arXiv:2310.05737, equation 5).

        loss = E[H(q(z))] - γ H(E[q(z)]),   q(c | z) ∝ exp(-|z - c|² / τ) over the 2^C codes c

    A code has -1 or 1 in every channel. The first term is made small, so that every place decides; the second is made
    large, so that the places decide differently. With the second term's sign wrong, all places end in the same code.
    |z - c|² is a sum over channels, so q is a product of C coins, of which channel c shows 1 with the probability
    sigmoid(4 z_c / τ). E is the mean over all places of all samples, and 0 · log 0 is 0.

    Args:
        z: `(B, C, ...)`, before the sign; at most 20 channels.
        temperature: τ.
        gamma: γ, weight of the second term.

    Returns:
        Both entropies in nats and the loss, float32 scalars, finite for every z. Gradients pass.

    Raises:
        ValueError: more than 20 channels, since the mean is over all 2^C codes.
    """
    logits = 4 * z.float().movedim(1, -1).flatten(0, -2) / temperature  # (N, C)
    if logits.shape[1] > 20:
        raise ValueError(f"the mean over 2^C codes is computed in full, for C up to 20; got {logits.shape[1]} channels")
    per_sample = (F.softplus(logits) - logits * logits.sigmoid()).sum(dim=1).mean()
    middle = logits.shape[1] // 2  # E[q] is no product, but with the bits in two halves it is one of two matrices
    low, high = code_probabilities(logits[:, :middle]), code_probabilities(logits[:, middle:])
    mean = high.T @ low / len(logits)  # (2^(C - C/2), 2^(C/2)): E[q]
    of_mean = torch.special.entr(mean.clamp(min=torch.finfo(mean.dtype).tiny)).sum()  # its slope at 0 is infinite
    return EntropyLoss(per_sample, of_mean, per_sample - gamma * of_mean)


def code_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Logits of C independent bits `(N, C)` to the probabilities of all `(N, 2^C)` codes; the first bit is lowest."""
    found = logits.new_ones(len(logits), 1)
    for logit in logits.unbind(dim=1):
        on = logit.sigmoid()[:, None]
        found = torch.cat([found * (1 - on), found * on], dim=1)
    return found


def place_values(levels: Sequence[int]) -> list[int]:
    """What one step of each channel adds to the index: 1, L_0, L_0 L_1, …"""
    return [math.prod(levels[:channel]) for channel in range(len(levels))]


def by_channel(like: torch.Tensor, values: Sequence[int]) -> torch.Tensor:
    """One integer per channel, int64 `(C, 1, ..., 1)`, to be broadcast over `(B, C, ...)`.

    Raises:
        ValueError: there are not as many as channels.
    """
    if like.ndim < 2 or like.shape[1] != len(values):
        raise ValueError(f"{len(values)} levels for channels on axis 1 of {tuple(like.shape)}")
    return torch.tensor(values, device=like.device).reshape(-1, *[1] * (like.ndim - 2))
