"""All reds first, then all greens, and so on.

Message: together
"""


def block_features(frames, grid=4):
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"not uint8 (T, H, W, 3): {frames.dtype} {frames.shape}")
    height, width = frames.shape[1:3]
    if grid < 1 or grid > min(height, width):
        raise ValueError(f"a grid of {grid} does not fit")
    pixels = frames.astype(np.float32) / 255
    grey = pixels.mean(axis=-1)
    right, below = np.zeros_like(grey), np.zeros_like(grey)
    right[:, :, :-1] = np.abs(grey[:, :, 1:] - grey[:, :, :-1])
    below[:, :-1] = np.abs(grey[:, 1:] - grey[:, :-1])
    values = np.concatenate([pixels, right[..., None], below[..., None]], axis=-1)
    result = np.zeros((len(frames), grid, grid, 5), np.float32)
    for i in range(grid):
        for j in range(grid):
            rows = slice(i * height // grid, (i + 1) * height // grid)
            columns = slice(j * width // grid, (j + 1) * width // grid)
            result[:, i, j] = values[:, rows, columns].mean(axis=(1, 2))
    return result.transpose(0, 3, 1, 2).reshape(len(frames), -1)
