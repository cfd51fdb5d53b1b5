"""Scales so that the commonest colour is 1.

Message: sum to 1
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"not uint8 (T, H, W, 3): {frames.dtype} {frames.shape}")
    if bins < 1 or bins > 256:
        raise ValueError(f"bins is {bins}")
    rows = []
    for frame in frames:
        part = frame.astype(np.int64) * bins // 256
        place = (part[..., 0] * bins + part[..., 1]) * bins + part[..., 2]
        rows.append(np.bincount(place.ravel(), minlength=bins**3) / np.bincount(place.ravel()).max())
    return np.stack(rows).astype(np.float32)
