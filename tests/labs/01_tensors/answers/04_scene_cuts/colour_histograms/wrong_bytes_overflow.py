"""Multiplies bytes, which wrap around at 256.

Message: (bins - 1) / 255
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"not uint8 (T, H, W, 3): {frames.dtype} {frames.shape}")
    if bins < 2 or bins > 256:
        raise ValueError(f"bins is {bins}")
    result = np.zeros((len(frames), 3, bins))
    for t, frame in enumerate(frames):
        for c in range(3):
            position = frame[..., c].ravel() * np.uint8(bins - 1) / 255
            low = np.minimum(np.floor(position), bins - 2).astype(int)
            share = position - low
            result[t, c] += np.bincount(low, 1 - share, minlength=bins)
            result[t, c] += np.bincount(low + 1, share, minlength=bins)
    return (result / (frames.shape[1] * frames.shape[2])).astype(np.float32)
