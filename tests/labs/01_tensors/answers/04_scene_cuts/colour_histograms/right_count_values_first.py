"""Counts the 256 values first, then shares each count out.
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"{frames.dtype} {frames.shape}")
    if bins < 2 or bins > 256:
        raise ValueError(f"{bins} bins")
    sharing = np.zeros((256, bins))
    for value in range(256):
        level, rest = divmod(value * (bins - 1), 255)
        sharing[value, level] = (255 - rest) / 255
        if rest:
            sharing[value, level + 1] = rest / 255
    counts = [[np.bincount(f[..., c].ravel(), minlength=256) / f[..., c].size for c in range(3)] for f in frames]
    return (np.array(counts) @ sharing).astype(np.float32)
