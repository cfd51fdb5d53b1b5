"""Lets numpy divide by zero, with a warning.

Message: divide by zero
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    return float(10 * np.log10(255**2 / ((restored.astype(np.float64) - original) ** 2).mean()))
