"""NaN for invalid pixels, then nanmean."""


def end_point_error(flow, target, *, valid=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"not a flow: {tuple(flow.shape)}")
    if flow.shape != target.shape:
        raise ValueError(f"{tuple(flow.shape)} against {tuple(target.shape)}")
    if torch.float64 not in (flow.dtype, target.dtype):
        flow, target = flow.float(), target.float()
    error = torch.hypot(*(flow - target).movedim(-3, 0))
    if valid is not None:
        if valid.shape != error.shape:
            raise ValueError(f"valid {tuple(valid.shape)}")
        if (valid.sum(dim=(-2, -1)) == 0).any():
            raise ValueError("no valid pixel")
        return error.masked_fill(~valid, float("nan")).nanmean(dim=(-2, -1))
    return error.mean(dim=(-2, -1))
