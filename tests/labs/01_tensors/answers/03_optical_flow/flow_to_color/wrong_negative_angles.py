"""Forgets that arctan2 gives negative angles for half the circle.

Message: corners of the wheel
"""


def flow_to_color(flow, *, max_flow=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"not a flow: {tuple(flow.shape)}")
    if max_flow is not None and max_flow <= 0:
        raise ValueError(f"max_flow={max_flow} must be above 0")
    values = flow.double().numpy()
    x, y = values[..., 0, :, :], values[..., 1, :, :]
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
    length = np.sqrt(x**2 + y**2)
    if max_flow is None:
        max_flow = length.max() if length.max() > 0 else 1.0
    angle = np.rad2deg(np.arctan2(y, x))
    reds, greens, blues = zip(*WHEEL_COLORS)
    hue = np.stack([np.interp(angle, WHEEL_DEGREES, c) for c in (reds, greens, blues)], axis=-1)
    s = np.clip(length / max_flow, 0, 1)[..., None]
    color = (1 - s) + s * hue
    color[~known] = 0
    return np.round(255 * color).astype(np.uint8)
