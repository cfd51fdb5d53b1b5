"""Fits a single line through all points.

Message: measured there
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    order = np.argsort(psnrs)
    x, y = np.array(psnrs, dtype=float)[order], np.array(num_bytes, dtype=float)[order]
    slope, level = np.polyfit(x, np.log(y), 1) if len(x) > 1 else (0.0, np.log(y[0]))
    return float(np.exp(slope * target + level))
