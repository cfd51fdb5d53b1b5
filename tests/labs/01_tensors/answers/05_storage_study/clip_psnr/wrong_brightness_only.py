"""Compares grey pictures.

Message: all three colours count
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored.astype(np.float64).mean(-1) - original.astype(np.float64).mean(-1)) ** 2).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
