"""Takes the brightest value of the clip for the peak.

Message: not the brightest value
"""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} and {original.shape}")
    error = ((restored.astype(np.float64) - original) ** 2).mean()
    if error == 0:
        return float("inf")
    return float(10 * np.log10(float(original.max()) ** 2 / error))
