"""The norm of the difference; invalid pixels set to zero first."""


def end_point_error(flow, target, *, valid=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"not a flow: {tuple(flow.shape)}")
    if flow.shape != target.shape:
        raise ValueError(f"{tuple(flow.shape)} against {tuple(target.shape)}")
    if torch.float64 not in (flow.dtype, target.dtype):
        flow, target = flow.float(), target.float()
    if valid is None:
        return torch.linalg.vector_norm(flow - target, dim=-3).mean(dim=-1).mean(dim=-1)
    if valid.shape != flow.shape[:-3] + flow.shape[-2:]:
        raise ValueError(f"valid {tuple(valid.shape)}")
    if not valid.flatten(-2).any(dim=-1).all():
        raise ValueError("nothing to average")
    difference = (flow - target).masked_fill(~valid.unsqueeze(-3), 0)
    return difference.norm(dim=-3).sum(dim=(-1, -2)) / valid.flatten(-2).sum(dim=-1)
