"""How far a flow is from the truth."""

import torch


def end_point_error(flow: torch.Tensor, target: torch.Tensor, *, valid: torch.Tensor | None = None) -> torch.Tensor:
    """The mean distance between where a flow says that pixels go and where they do go.

    For each pixel the length of the difference, `sqrt((u - u*)^2 + (v - v*)^2)`; then the mean over the valid pixels.

    Args:
        flow: `(2, H, W)` or `(B, 2, H, W)`, x then y, in pixels per frame, of any float dtype.
        target: the true flow, the same shape, of any float dtype.
        valid: bool `(H, W)` or `(B, H, W)`, the pixels that count, or None for all. What the flows hold elsewhere, even
            if it is NaN, changes nothing.

    Returns:
        A scalar for one flow, `(B,)` for a batch, in pixels: computed in float64 if `flow` or `target` is float64, in
        float32 otherwise.

    Raises:
        ValueError: the flows have another number of axes, are not x and y, differ in shape, `valid` does not fit, or
            a flow has no valid pixel.
    """
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"a flow is (2, H, W) or (B, 2, H, W); this one has shape {tuple(flow.shape)}")
    if flow.shape != target.shape:
        raise ValueError(f"flow and target differ in shape: {tuple(flow.shape)} and {tuple(target.shape)}")
    off = flow.to(torch.promote_types(flow.dtype, torch.float32)) - target
    error = off.square().sum(dim=-3).sqrt()  # (H, W) or (B, H, W)
    if valid is None:
        return error.mean(dim=(-2, -1))
    if valid.shape != error.shape:
        raise ValueError(f"valid must be {tuple(error.shape)} for these flows, got {tuple(valid.shape)}")
    count = valid.sum(dim=(-2, -1))  # () or (B,)
    if (count == 0).any():
        raise ValueError("a flow has no valid pixel: there is nothing to take the mean of")
    return torch.where(valid, error, 0).sum(dim=(-2, -1)) / count
