"""Takes the absolute value of a difference that has already wrapped around.

Message: bytes wrap around
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} {original.shape}")
    d = np.abs(restored - original).astype(float)
    m = (d**2).mean()
    return float("inf") if m == 0 else float(10 * np.log10(255**2 / m))
