"""Scales to [0, 1] first, where the peak is 1."""


def clip_psnr(restored, original):
    if restored.shape != original.shape:
        raise ValueError("cannot compare " + str(restored.shape) + " with " + str(original.shape))
    if np.array_equal(restored, original):
        return float("inf")
    difference = restored / 255.0 - original / 255.0
    return float(-10 * np.log10(np.square(difference).mean()))
