"""Never scales by more than the longest motion, though max_flow is given.

Message: with s = length / max_flow
"""


def flow_to_color(flow: torch.Tensor, *, max_flow: float | None = None) -> np.ndarray:
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"a flow is (2, H, W) or (B, 2, H, W); this one has shape {tuple(flow.shape)}")
    if max_flow is not None and not max_flow > 0:
        raise ValueError(f"max_flow must be above 0, got {max_flow}")
    x, y = np.moveaxis(flow.detach().double().cpu().numpy(), -3, 0)  # (H, W) or (B, H, W) each
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x, 0), np.where(known, y, 0)
    length = np.hypot(x, y)
    if max_flow is None:
        max_flow = length.max() or 1.0  # nothing moves: all white
    max_flow = min(max_flow, length.max() or 1.0)
    angle = np.degrees(np.arctan2(y, x)) % 360
    hue = np.stack([np.interp(angle, WHEEL_DEGREES, channel) for channel in zip(*WHEEL_COLORS)], axis=-1)
    saturation = np.minimum(length / max_flow, 1)[..., None]
    color = (1 - saturation) + saturation * hue  # (..., H, W, 3), white is 1
    return (255 * color * known[..., None]).round().astype(np.uint8)
