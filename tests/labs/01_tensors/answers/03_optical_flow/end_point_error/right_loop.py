"""A list of flows, each with its valid pixels picked out."""


def end_point_error(flow, target, *, valid=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"not a flow: {tuple(flow.shape)}")
    if flow.shape != target.shape:
        raise ValueError(f"{tuple(flow.shape)} against {tuple(target.shape)}")
    if torch.float64 not in (flow.dtype, target.dtype):
        flow, target = flow.float(), target.float()
    if flow.ndim == 3:
        return end_point_error(flow[None], target[None], valid=None if valid is None else valid[None])[0]
    if valid is None:
        valid = torch.ones(flow.shape[0], *flow.shape[2:], dtype=torch.bool)
    if valid.shape != (flow.shape[0], *flow.shape[2:]):
        raise ValueError(f"valid {tuple(valid.shape)}")
    means = []
    for a, b, mask in zip(flow, target, valid):
        off = (a - b)[:, mask]
        if off.shape[1] == 0:
            raise ValueError("a flow without a valid pixel")
        means.append(torch.hypot(off[0], off[1]).mean())
    return torch.stack(means)
