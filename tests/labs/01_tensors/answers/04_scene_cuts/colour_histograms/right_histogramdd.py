"""numpy's own histogram in three dimensions, with the edges spelled out.
"""


def colour_histograms(frames, bins=8):
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"frames are {frames.dtype} {frames.shape}")
    if bins not in range(1, 257):
        raise ValueError(f"bins={bins}")
    result = np.zeros((len(frames), bins**3), np.float32)
    for t, frame in enumerate(frames):
        counts, _ = np.histogramdd(frame.reshape(-1, 3), bins=bins, range=[(0, 256)] * 3)
        result[t] = counts.ravel() / counts.sum()
    return result
