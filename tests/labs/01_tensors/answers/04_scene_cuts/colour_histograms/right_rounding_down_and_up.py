"""Floor and ceil; where they are one level, half goes to each.
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"need uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    if not 1 < bins <= 256:
        raise ValueError(f"bins cannot be {bins}")
    T = len(frames)
    p = frames.reshape(T, -1, 3) / 255.0 * (bins - 1)
    low, high = np.floor(p).astype(int), np.ceil(p).astype(int)
    out = np.zeros((T, 3, bins))
    t, c = np.arange(T)[:, None, None], np.arange(3)
    np.add.at(out, (t, c, low), np.where(low == high, 0.5, high - p))
    np.add.at(out, (t, c, high), np.where(low == high, 0.5, p - low))
    return (out / p.shape[1]).astype(np.float32)
