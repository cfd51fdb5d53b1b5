"""Three histograms side by side, one a channel.

Message: should have the shape
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"not uint8 (T, H, W, 3): {frames.dtype} {frames.shape}")
    if bins < 1 or bins > 256:
        raise ValueError(f"bins is {bins}")
    rows = []
    for frame in frames:
        part = frame.astype(np.int64) * bins // 256
        channels = [np.bincount(part[..., c].ravel(), minlength=bins) for c in range(3)]
        rows.append(np.concatenate(channels) / part[..., 0].size)
    return np.stack(rows).astype(np.float32)
