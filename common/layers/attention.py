"""Attention of tokens to each other, and to a text. Queries and keys are normalised; caches go in and come out."""

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers.norm import HeadNorm
from common.layers.rope import rotate


@dataclass(frozen=True)
class KeyValues:
    """What tokens have to say to later ones.

    Attributes:
        keys: `(B, num_heads, N, head_dim)`, normalised and turned to their places.
        values: likewise, as they are.
    """

    keys: torch.Tensor
    values: torch.Tensor

    def then(self, later: "KeyValues") -> "KeyValues":
        """These and the later ones, one after the other."""
        return KeyValues(torch.cat([self.keys, later.keys], dim=2), torch.cat([self.values, later.values], dim=2))


def frame_causal_mask(num_frames: int, tokens_per_frame: int, num_past: int = 0, device=None) -> torch.Tensor:
    """Who may look at whom if no frame looks at a later one; inside a frame everybody sees everybody.

    Args:
        num_frames: T', of the tokens that look.
        tokens_per_frame: S.
        num_past: tokens of a cache, which everybody sees.
        device: of the result.

    Returns:
        bool `(T' S, num_past + T' S)`, True for "may look".
    """
    frame = torch.arange(num_frames, device=device).repeat_interleave(tokens_per_frame)  # (T' S,)
    own = frame[:, None] >= frame[None, :]
    return torch.cat([own.new_ones(len(frame), num_past), own], dim=1)


class SelfAttention(nn.Module):
    """Every token gathers from every token that it may see.

    Queries and keys are normalised in each head, which bounds their products and so keeps training steady (Dehghani et
    al. 2023, arXiv:2302.05442); then turned to their tokens' places.

    Args:
        dim: D of a token.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.num_heads = num_heads
        self.to_qkv = nn.Linear(dim, 3 * dim)  # one product in place of three
        self.norm_q = HeadNorm(dim // num_heads)
        self.norm_k = HeadNorm(dim // num_heads)
        self.to_out = nn.Linear(dim, dim)

    def forward(
        self,
        x: torch.Tensor,
        rotation: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        cache: KeyValues | None = None,
    ) -> tuple[torch.Tensor, KeyValues]:
        """Attend.

        Args:
            x: `(B, N, D)`.
            rotation: the tokens' places, `(N, head_dim / 2)`, from `rotations`; None for no places.
            mask: bool, True for "may look": `(N, P + N)`, or with the axes `(B, num_heads)` before; None for all.
            cache: keys and values of P tokens before these; None at the beginning.

        Returns:
            `(B, N, D)`, and the keys and values of all P + N tokens: the cache for the next piece.
        """
        q, k, v = rearrange(self.to_qkv(x), "b n (three h d) -> three b n h d", three=3, h=self.num_heads)
        q, k = self.norm_q(q), self.norm_k(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        seen = KeyValues(*(rearrange(part, "b n h d -> b h n d") for part in (k, v)))
        if cache is not None:
            seen = cache.then(seen)
        return self.to_out(attend(q, seen, mask)), seen


class CrossAttention(nn.Module):
    """Every token gathers from the tokens of a text; queries and keys are normalised, and have no places.

    Args:
        dim: D of a token and of a token of the text.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim)
        self.to_kv = nn.Linear(dim, 2 * dim)
        self.norm_q = HeadNorm(dim // num_heads)
        self.norm_k = HeadNorm(dim // num_heads)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor | None = None) -> torch.Tensor:
        """`(B, N, D)` and a text `(B, L, D)` to `(B, N, D)`.

        `text_mask`: `(B, L)`, True for a token, False for padding; at least one token in each text. None for all.
        """
        q = rearrange(self.to_q(x), "b n (h d) -> b n h d", h=self.num_heads)
        k, v = rearrange(self.to_kv(text), "b l (two h d) -> two b h l d", two=2, h=self.num_heads)
        mask = None if text_mask is None else text_mask[:, None, None, :].bool()  # (B, 1, 1, L)
        return self.to_out(attend(self.norm_q(q), KeyValues(self.norm_k(k), v), mask))


def attend(q: torch.Tensor, seen: KeyValues, mask: torch.Tensor | None) -> torch.Tensor:
    """softmax(q kᵀ / √head_dim) v (Vaswani et al. 2017, arXiv:1706.03762): `(B, N, h, d)` to `(B, N, h · d)`.

    On a CPU at least in float32, also under autocast: in bfloat16 torch's backward pass takes six times as long.
    """
    dtype, device = seen.values.dtype, seen.values.device.type
    precision = torch.promote_types(dtype, torch.float32) if device == "cpu" else dtype
    q, k, v = (part.to(precision) for part in (rearrange(q, "b n h d -> b h n d"), seen.keys, seen.values))
    with torch.autocast(device, enabled=False) if device == "cpu" else nullcontext():
        out = F.scaled_dot_product_attention(q, k, v, mask)
    return rearrange(out.to(dtype), "b h n d -> b n (h d)")


def check_heads(dim: int, num_heads: int) -> None:
    """Raises:
    ValueError: the heads do not divide the width.
    """
    if num_heads < 1 or dim % num_heads:
        raise ValueError(f"{num_heads} heads do not divide a width of {dim}")
