"""Averages the decibels of the frames.

Message: decibels of the frames are averaged
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    errors = ((restored.astype(np.float64) - original) ** 2).mean(axis=(1, 2, 3))
    if errors.max() == 0:
        return float("inf")
    return float(np.mean([10 * np.log10(255**2 / error) for error in errors]))
