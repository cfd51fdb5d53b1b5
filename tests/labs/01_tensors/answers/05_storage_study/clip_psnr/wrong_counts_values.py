"""Compares the number of values, not the shapes.

Message: (1, 4, 6, 3)
"""


def clip_psnr(restored: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio of a whole clip against its original.

    Args:
        restored: uint8 (T, H, W, 3), what came back from the disk.
        original: uint8 (T, H, W, 3), what went in. Neither array is changed.

    Returns:
        One float, in dB, at a peak of 255; `inf` if the two are identical (without a warning or an error).

    Raises:
        ValueError: the shapes differ (the message names both).
    """
    if restored.size != original.size:
        raise ValueError(f"the clips differ in shape: {restored.shape} and {original.shape}")
    mean_squared_error = np.mean((restored.astype(np.float64) - original) ** 2)
    if mean_squared_error == 0:
        return float("inf")
    return float(10 * np.log10(255**2 / mean_squared_error))
