"""One pixel after the other."""


def flow_to_color(flow, *, max_flow=None):
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"flow {tuple(flow.shape)}")
    if max_flow is not None and max_flow <= 0:
        raise ValueError(f"max_flow {max_flow}")
    flows = flow.double() if flow.ndim == 4 else flow.double()[None]
    if max_flow is None:
        longest = 0.0
        for u, v in zip(flows[:, 0].flatten().tolist(), flows[:, 1].flatten().tolist()):
            if np.isfinite(u) and np.isfinite(v):
                longest = max(longest, (u * u + v * v) ** 0.5)
        max_flow = longest or 1.0
    out = np.zeros((len(flows), *flows.shape[-2:], 3), np.uint8)
    for b in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                u, v = flows[b, :, y, x].tolist()
                if not (np.isfinite(u) and np.isfinite(v)):
                    continue
                s = min((u * u + v * v) ** 0.5 / max_flow, 1)
                angle = np.degrees(np.arctan2(v, u))
                angle = angle + 360 if angle < 0 else angle
                for c in range(3):
                    hue = np.interp(angle, WHEEL_DEGREES, [color[c] for color in WHEEL_COLORS])
                    out[b, y, x, c] = round(255 * (1 - s + s * hue))
    return out if flow.ndim == 4 else out[0]
