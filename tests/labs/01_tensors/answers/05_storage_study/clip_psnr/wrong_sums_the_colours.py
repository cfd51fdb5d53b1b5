"""Adds the errors of the three colours, as a distance between colours would.

Message: should be
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored.astype(np.float64) - original) ** 2).sum(axis=-1).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
