"""Takes frames of any dtype.

Message: should raise ValueError
"""


def colour_histograms(frames: np.ndarray, bins: int = 8) -> np.ndarray:
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    if not 2 <= bins <= 256:
        raise ValueError(f"bins must be from 2 to 256, got {bins}")
    num_frames, height, width, _ = frames.shape
    position = frames.astype(np.float32) * ((bins - 1) / 255)  # (T, H, W, 3)
    below = np.minimum(position.astype(np.int64), bins - 2)  # the level below, never the last one
    share = position - below  # of the level above
    # One count for all frames and channels: the places of frame t and channel c begin at (3 t + c) bins.
    place = below + bins * (3 * np.arange(num_frames).reshape(-1, 1, 1, 1) + np.arange(3))
    num_places = num_frames * 3 * bins
    counts = np.bincount(place.ravel(), (1 - share).ravel(), minlength=num_places)
    counts += np.bincount((place + 1).ravel(), share.ravel(), minlength=num_places)
    return (counts.reshape(num_frames, 3, bins) / (height * width)).astype(np.float32)
