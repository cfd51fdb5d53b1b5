"""Reach: after how many layers a token can have heard of another one, found by changing one and looking."""

from collections.abc import Callable, Sequence

import torch


@torch.no_grad()
def reach(layers: Sequence[Callable], x: torch.Tensor, change: torch.Tensor, tolerance: float = 1e-9) -> torch.Tensor:
    """The receptive field of every token, by perturbation: how many layers until a change of token i moves token j.

    Token i alone is changed: `change` is added to it. The clip and the changed clip go through the layers, one after
    the other. Token j has moved if one of its numbers differs by more than the tolerance.

    Args:
        layers: each takes `(B, N, D)` to `(B, N, D)`, any B, and does not mix the clips of a batch. They are called in
            this order.
        x: the tokens of a clip, `(N, D)`. In double precision, small moves stand out from rounding.
        change: `(D,)`. Not one number D times: a layer norm would take it out again.
        tolerance: how far a number may differ and still count as the same.

    Returns:
        float32 `(N, N)`: in row i, column j the number of layers, counted from 1, after which token j has moved for the
        first time; infinity where it never does. The diagonal is 0, since token i itself was changed.
    """
    each = torch.arange(len(x), device=x.device)
    plain, changed = x[None], x.repeat(len(x), 1, 1)  # a clip for every token that is changed: (N, N, D)
    changed[each, each] += change
    found = torch.full((len(x), len(x)), torch.inf, device=x.device)
    for number, layer in enumerate(layers, start=1):
        plain, changed = layer(plain), layer(changed)
        moved = ((changed - plain).abs() > tolerance).any(dim=-1)  # (N, N)
        found = torch.where(moved & found.isinf(), number, found)
    return found.fill_diagonal_(0)
