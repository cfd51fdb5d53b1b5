"""Squares, sum, root, mean."""


def end_point_error(flow, target, *, valid=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"not a flow: {tuple(flow.shape)}")
    if flow.shape != target.shape:
        raise ValueError(f"{tuple(flow.shape)} against {tuple(target.shape)}")
    if torch.float64 not in (flow.dtype, target.dtype):
        flow, target = flow.float(), target.float()
    error = ((flow - target) ** 2).sum(dim=-3).sqrt()
    if valid is None:
        return error.mean(dim=(-2, -1))
    if valid.shape != error.shape:
        raise ValueError(f"valid {tuple(valid.shape)} for {tuple(error.shape)}")
    count = valid.sum(dim=(-2, -1))
    if bool((count == 0).any()):
        raise ValueError("nothing is valid")
    return torch.where(valid, error, 0.0).sum(dim=(-2, -1)) / count
