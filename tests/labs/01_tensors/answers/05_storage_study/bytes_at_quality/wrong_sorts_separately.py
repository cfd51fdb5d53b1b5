"""Sorts the two lists each by itself.

Message: each by itself
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    x, y = sorted(psnrs), sorted(num_bytes)
    return float(np.exp(np.interp(target, x, np.log(y))))
