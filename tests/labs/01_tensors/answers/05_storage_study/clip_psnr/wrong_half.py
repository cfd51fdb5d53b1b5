"""Forgets the square of the peak: 10 log10(255 / rms).

Message: the peak is squared too
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    rms = np.sqrt(((restored.astype(np.float64) - original) ** 2).mean())
    return float("inf") if rms == 0 else float(10 * np.log10(255 / rms))
