"""Takes changes inside each block only, so that those across its border are lost.

Message: the mean of red, green and blue
"""


def block_features(frames: np.ndarray, grid: int = 4) -> np.ndarray:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    _, height, width, _ = frames.shape
    if not 1 <= grid <= min(height, width):
        raise ValueError(f"grid must be from 1 to {min(height, width)} for {width} x {height} pixels, got {grid}")
    pixels = frames.astype(np.float32) / 255  # (T, H, W, 3)
    grey = pixels.mean(axis=-1)  # (T, H, W)
    to_the_right = np.abs(np.diff(grey, axis=2, append=grey[:, :, -1:]))
    below = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    values = np.concatenate([pixels, to_the_right[..., None], below[..., None]], axis=-1)  # (T, H, W, 5)
    rows = [i * height // grid for i in range(grid + 1)]
    columns = [j * width // grid for j in range(grid + 1)]
    blocks = [
        np.concatenate([values[:, top:bottom, left:right, :3].mean(axis=(1, 2)), np.stack([np.abs(np.diff(grey[:, top:bottom, left:right], axis=2)).sum((1, 2)), np.abs(np.diff(grey[:, top:bottom, left:right], axis=1)).sum((1, 2))], -1) / ((bottom - top) * (right - left))], -1)  # (T, 5)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]
    return np.concatenate(blocks, axis=-1)
