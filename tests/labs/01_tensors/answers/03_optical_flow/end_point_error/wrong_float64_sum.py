"""Adds up in float64, and gives that, where `valid` is given.

Message: should be float32, not float64
"""


def end_point_error(flow: torch.Tensor, target: torch.Tensor, *, valid: torch.Tensor | None = None) -> torch.Tensor:
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
    return (torch.where(valid, error, 0).double().sum(dim=(-2, -1)) / count)
