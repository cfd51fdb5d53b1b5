"""Does not look at what it is given.

Message: should raise ValueError
"""


def colour_histograms(frames, bins=8):
    rows = []
    for frame in frames:
        part = frame.astype(np.int64) * bins // 256
        place = (part[..., 0] * bins + part[..., 1]) * bins + part[..., 2]
        rows.append(np.bincount(place.ravel(), minlength=bins**3) / place.size)
    return np.stack(rows).astype(np.float32)
