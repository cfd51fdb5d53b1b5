"""Does not look at what it is given.

Message: should raise ValueError
"""


def colour_histograms(frames, bins=8):
    result = np.zeros((len(frames), 3, bins))
    for t, frame in enumerate(frames):
        for c in range(3):
            position = frame[..., c].ravel().astype(np.float64) * (bins - 1) / 255
            low = np.minimum(np.floor(position), bins - 2).astype(int)
            share = position - low
            result[t, c] += np.bincount(low, 1 - share, minlength=bins)
            result[t, c] += np.bincount(low + 1, share, minlength=bins)
    return (result / (frames.shape[1] * frames.shape[2])).astype(np.float32)
