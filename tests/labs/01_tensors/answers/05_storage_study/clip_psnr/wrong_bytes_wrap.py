"""Subtracts bytes from bytes.

Message: bytes wrap around
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored - original).astype(np.float64) ** 2).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
