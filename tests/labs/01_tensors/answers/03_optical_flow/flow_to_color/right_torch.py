"""Torch to the end: bucketize finds the piece of the wheel."""


def flow_to_color(flow, *, max_flow=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"flow has shape {list(flow.shape)} ({', '.join(map(str, flow.shape))})")
    if max_flow is not None and max_flow <= 0:
        raise ValueError(f"max_flow {max_flow}")
    u, v = flow.double().unbind(dim=-3)
    known = torch.isfinite(u) & torch.isfinite(v)
    u, v = torch.where(known, u, 0.0), torch.where(known, v, 0.0)
    length = (u * u + v * v).sqrt()
    if max_flow is None:
        max_flow = length.max().item() or 1.0
    corners = torch.tensor(WHEEL_DEGREES, dtype=torch.float64)
    colors = torch.tensor(WHEEL_COLORS, dtype=torch.float64)
    angle = torch.rad2deg(torch.atan2(v, u)) % 360
    k = (torch.bucketize(angle, corners, right=True) - 1).clamp(0, 5)
    share = ((angle - corners[k]) / (corners[k + 1] - corners[k]))[..., None]
    hue = (1 - share) * colors[k] + share * colors[k + 1]
    s = (length / max_flow).clamp(max=1)[..., None]
    color = (1 - s) + s * hue
    color = torch.where(known[..., None], color, 0.0)
    return (255 * color).round().to(torch.uint8).numpy()
