"""Attention patterns of a video transformer: full, factorised, windowed with shift, and what each of them costs.

A pattern cuts the tokens of a clip into groups, and attention runs inside each group. The cost goes with the number of
pairs, tokens times group size. What a token can hear of goes with the way from group to group, layer by layer.

Queries, keys and values are `(B, num_heads, T, H, W, head_dim)` here: a grid of tokens, not yet one sequence.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import MappingProxyType

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers.attention import check_heads
from common.layers.norm import HeadNorm
from common.layers.rope import rotate

# Pattern -> the kinds of its layers, by turns.
PATTERNS = MappingProxyType(
    {
        "full": ("full",),
        "factorised": ("space", "time"),
        "spatial": ("space",),
        "windows": ("window",),
        "shifted": ("window", "shifted window"),
    }
)


def attention_flops(num_tokens: int, group_size: int, dim: int, batch_size: int = 1) -> int:
    """FLOPs of a self-attention layer whose tokens attend inside groups of equal size, in closed form.

    A product of an (m × n) with an (n × p) matrix counts 2 m n p: a multiplication and an addition each time. A layer
    has the four projections to queries, keys, values and output, D × D each, and two products inside each group: the
    scores q kᵀ, and the softmax of the scores times v. All heads together are D wide, so their number does not matter.
    Biases, norms, RoPE, scaling and softmax do not count, as in torch's `FlopCounterMode`.

    Args:
        num_tokens: N, of a clip.
        group_size: G, tokens of a group: N for full attention.
        dim: D of a token.
        batch_size: clips.

    Returns:
        A whole number.

    Raises:
        ValueError: an argument is below 1, or G does not divide N.
    """
    if min(num_tokens, group_size, dim, batch_size) < 1 or num_tokens % group_size:
        raise ValueError(
            f"groups of {group_size} do not tile {num_tokens} tokens, or {dim=} or {batch_size=} is below 1"
        )
    projections = 4 * 2 * num_tokens * dim * dim
    inside = 2 * 2 * num_tokens * group_size * dim
    return batch_size * (projections + inside)


def factorised_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, axis: str) -> torch.Tensor:
    """Factorised attention, one half of it: inside each frame, or along time at each place.

    Two layers, one of each, take the place of full attention (TimeSformer, Bertasius et al. 2021, arXiv:2102.05095;
    Latte, Ma et al. 2024, arXiv:2401.03048). In each group it is softmax(q kᵀ / √head_dim) v.

    Args:
        q: `(B, num_heads, T, H, W, head_dim)`.
        k: likewise.
        v: likewise.
        axis: "space": a token attends to the H · W tokens of its own frame. "time": to the T tokens at its own row and
            column.

    Returns:
        As `q`.

    Raises:
        ValueError: the axis is another word.
    """
    if axis not in ("space", "time"):
        raise ValueError(f"the axis is 'space' or 'time', got {axis!r}")
    grid = dict(zip("btyx", (q.shape[0], *q.shape[2:5])))
    group = "(b t) h (y x) d" if axis == "space" else "(b y x) h t d"
    q, k, v = (rearrange(part, f"b h t y x d -> {group}") for part in (q, k, v))
    return rearrange(F.scaled_dot_product_attention(q, k, v), f"{group} -> b h t y x d", **grid)


def windowed_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    window: Sequence[int],
    shift: Sequence[int] = (0, 0, 0),
) -> torch.Tensor:
    """Window attention on a grid of three axes, with a shift (Video Swin, Liu et al. 2021, arXiv:2106.13230, 3.2).

    Every axis is cut into pieces of `window` tokens, and a window is one piece of each axis. A token attends to the
    tokens of its own window: softmax(q kᵀ / √head_dim) v. With a shift s, an axis of windows w is cut at the places
    s, s + w, s + 2w, … instead. So two tokens at the places p and p' of an axis are in one piece if
    floor((p - s) / w) = floor((p' - s) / w). The first and the last piece are then smaller ones, and they do not see
    each other.

    It saves what it promises: its two products cost 4 N G D FLOPs per clip or less, where G is the size of a whole
    window, also with a shift. A mask over the scores of all pairs would save nothing.

    Args:
        q: `(B, num_heads, T, H, W, head_dim)`.
        k: likewise.
        v: likewise.
        window: tokens of a window along T, H and W.
        shift: along T, H and W, from 0 up to, not including, that of the window.

    Returns:
        As `q`.

    Raises:
        ValueError: a window is below 1 or does not divide its axis, or a shift is outside its range.
    """
    grid = tuple(q.shape[2:5])
    for length, w, s in zip(grid, window, shift, strict=True):
        if w < 1 or length % w or not 0 <= s < w:
            raise ValueError(f"windows {tuple(window)} with shift {tuple(shift)} do not fit a grid of {grid}")
    counts = [n // w for n, w in zip(grid, window)]
    sizes = dict(zip(("nt", "ny", "nx", "wt", "wy", "wx"), (*counts, *window)))
    num_heads, back = q.shape[1], [-s for s in shift]
    whole, cut = "b h (nt wt) (ny wy) (nx wx) d", "b (h nt ny nx) (wt wy wx) d"
    # Rolled, the first cut is at place 0, and what was before it shares a window with the end.
    q, k, v = (rearrange(part.roll(back, (2, 3, 4)), f"{whole} -> {cut}", **sizes) for part in (q, k, v))
    mask = None
    if any(shift):
        pieces = [(torch.arange(n, device=q.device) - s) // w for n, w, s in zip(grid, window, shift)]
        piece = torch.stack(torch.meshgrid(*pieces, indexing="ij"), dim=-1).roll(back, (0, 1, 2))
        piece = rearrange(piece, "(nt wt) (ny wy) (nx wx) three -> (nt ny nx) (wt wy wx) three", **sizes)
        mask = (piece[:, :, None] == piece[:, None]).all(dim=-1).repeat(num_heads, 1, 1)  # (h n, G, G)
    out = F.scaled_dot_product_attention(q, k, v, mask)
    return rearrange(out, f"{cut} -> {whole}", **sizes).roll(list(shift), (2, 3, 4))


def attend_by(
    kind: str, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, window: Sequence[int] = (3, 2, 2)
) -> torch.Tensor:
    """Attention of one layer of a pattern.

    Args:
        kind: "full", "space", "time", "window" or "shifted window", by half a window.
        q: `(B, num_heads, T, H, W, head_dim)`.
        k: likewise.
        v: likewise.
        window: of the last two kinds.

    Raises:
        ValueError: there is no such kind, or the windows do not fit.
    """
    if kind in ("space", "time"):
        return factorised_attention(q, k, v, kind)
    if kind == "full":
        return windowed_attention(q, k, v, q.shape[2:5])
    if kind not in ("window", "shifted window"):
        raise ValueError(f"a layer's kind is full, space, time, window or shifted window; got {kind!r}")
    return windowed_attention(q, k, v, window, [w // 2 if kind == "shifted window" else 0 for w in window])


def group_size(kind: str, grid: Sequence[int], window: Sequence[int] = (3, 2, 2)) -> int:
    """Tokens of a group, by a layer's kind as in `attend_by`; with a shift, of a whole window."""
    frames, height, width = grid
    sizes = {"full": frames * height * width, "space": height * width, "time": frames}
    return sizes.get(kind, window[0] * window[1] * window[2])


class PatternAttention(nn.Module):
    """Multi-head self-attention with QK-norm and RoPE, as `SelfAttention`, inside the groups of a pattern.

    Args:
        dim: D of a token.
        num_heads: divides D.
        kind: of the layer, as in `attend_by`.
        window: likewise.

    Attributes:
        attend: in place of `attend_by`, with the same arguments; None for `attend_by` itself.
    """

    def __init__(self, dim: int, num_heads: int, kind: str = "full", window: Sequence[int] = (3, 2, 2)):
        super().__init__()
        check_heads(dim, num_heads)
        self.num_heads, self.kind, self.window = num_heads, kind, tuple(window)
        self.to_qkv, self.to_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm_q, self.norm_k = HeadNorm(dim // num_heads), HeadNorm(dim // num_heads)
        self.attend: Callable | None = None

    def forward(self, x: torch.Tensor, rotation: torch.Tensor | None = None) -> torch.Tensor:
        """`(B, T, H, W, D)` to the same; `rotation` `(T · H · W, head_dim / 2)` from `rotations`, None for no places.

        On a CPU at least in float32, also under autocast, as `attend` of `common.layers.attention`.
        """
        grid = dict(zip("tyx", x.shape[1:4]))
        q, k, v = rearrange(self.to_qkv(x), "b t y x (three h d) -> three b (t y x) h d", three=3, h=self.num_heads)
        q, k = self.norm_q(q), self.norm_k(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        device = x.device.type
        precision = torch.promote_types(v.dtype, torch.float32) if device == "cpu" else v.dtype
        q, k, v = (rearrange(part.to(precision), "b (t y x) h d -> b h t y x d", **grid) for part in (q, k, v))
        with torch.autocast(device, enabled=False) if device == "cpu" else nullcontext():
            out = (self.attend or attend_by)(self.kind, q, k, v, self.window)
        return self.to_out(rearrange(out.to(x.dtype), "b h t y x d -> b t y x (h d)"))
