"""Counts in float32, with int32 differences."""


def clip_psnr(restored, original):
    import math

    if restored.shape != original.shape:
        raise ValueError(f"{restored.shape} != {original.shape}")
    error = np.square(restored.astype(np.int32) - original.astype(np.int32)).astype(np.float32).mean()
    return math.inf if error == 0 else 10 * math.log10(65025 / error)
