"""Does not look at the shapes.

Message: should raise ValueError
"""


def clip_psnr(restored, original):
    error = ((restored.astype(np.float64) - original) ** 2).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
