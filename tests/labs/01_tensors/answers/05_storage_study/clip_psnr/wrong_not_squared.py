"""Takes the mean absolute error.

Message: mean of the absolute error
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = np.abs(restored.astype(np.float64) - original).mean()
    return float("inf") if error == 0 else float(20 * np.log10(255 / error))
