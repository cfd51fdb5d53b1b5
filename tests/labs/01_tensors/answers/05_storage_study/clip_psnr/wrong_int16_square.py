"""Subtracts in int16, which is enough, and squares in int16, which is not.

Message: small integers wrap around
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    difference = restored.astype(np.int16) - original.astype(np.int16)
    error = np.abs((difference * difference).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
