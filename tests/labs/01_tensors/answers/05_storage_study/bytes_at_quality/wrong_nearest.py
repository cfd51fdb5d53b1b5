"""Takes the nearest measured point.

Message: nearest measured point
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    order = np.argsort(psnrs)
    x, y = np.array(psnrs, dtype=float)[order], np.array(num_bytes, dtype=float)[order]
    return float(y[np.abs(x - target).argmin()])
