"""Hands the points to np.interp as they come.

Message: sort the points by quality
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    return float(np.exp(np.interp(target, psnrs, np.log(num_bytes))))
