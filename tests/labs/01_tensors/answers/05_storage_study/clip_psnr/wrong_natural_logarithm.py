"""Uses the natural logarithm.

Message: natural logarithm
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored.astype(np.float64) - original) ** 2).mean()
    return float("inf") if error == 0 else float(10 * np.log(255**2 / error))
