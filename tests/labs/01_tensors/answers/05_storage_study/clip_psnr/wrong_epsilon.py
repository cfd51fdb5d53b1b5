"""Adds a small number, so that identical clips have a finite PSNR.

Message: identical clips are at infinity
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} {original.shape}")
    m = ((restored.astype(float) - original) ** 2).mean() + 1e-8
    return float(10 * np.log10(255**2 / m))
