"""How much something changes along the motion: what stays on a moving thing has not changed, however far that went."""

import torch
from einops import rearrange

from common.flow.warping import warp


def change_along_flow(
    values: torch.Tensor, flow: torch.Tensor | None = None, visible: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean absolute change from each frame to the next, followed along the flow.

    Of a coder's error, restored minus original, this is the *change of error*. It tells flicker from blur: a coder that
    draws an edge wrong in the same way in every frame has a large error and no change of it.

    Args:
        values: `(B, C, T, H, W)`, at least two frames.
        flow: the forward flow `(B, 2, T - 1, H, W)`, as in `common.flow.warping`; None where nothing moves.
        visible: bool `(B, T - 1, H, W)`, the places whose end can be seen in the next frame; None for all of them.

    Returns:
        `(B,)`, in the units of `values`; NaN for a clip of which no place is visible.

    Raises:
        ValueError: there are fewer than two frames.
    """
    num_pairs = values.shape[2] - 1
    if num_pairs < 1:
        raise ValueError(f"a change takes at least two frames, got {values.shape[2]}")
    now, after = values[:, :, :-1], values[:, :, 1:]
    if flow is not None:
        moved = warp(rearrange(after, "b c t h w -> (b t) c h w"), rearrange(flow, "b c t h w -> (b t) c h w"))
        after = rearrange(moved, "(b t) c h w -> b c t h w", t=num_pairs)
    change = (after - now).abs().mean(dim=1)  # (B, T - 1, H, W)
    if visible is None:
        return change.flatten(1).mean(dim=1)
    return (change * visible).flatten(1).sum(dim=1) / visible.flatten(1).sum(dim=1)
