"""Calls identical clips 100 dB.

Message: identical clips are at infinity
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored.astype(np.float64) - original) ** 2).mean()
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))
