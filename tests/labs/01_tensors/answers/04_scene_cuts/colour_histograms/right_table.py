"""A table of parts for the 256 values, and torch to add up.
"""


def colour_histograms(frames, bins=8):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"need uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    if not 0 < bins <= 256:
        raise ValueError(f"bins cannot be {bins}")
    parts = torch.tensor([value * bins // 256 for value in range(256)])
    r, g, b = parts[torch.from_numpy(frames.copy()).long()].unbind(-1)
    place = (r * bins * bins + g * bins + b).flatten(1)
    weights = torch.full(place.shape, 1 / place.shape[1])
    return torch.zeros(len(frames), bins**3).scatter_add(1, place, weights).numpy()
