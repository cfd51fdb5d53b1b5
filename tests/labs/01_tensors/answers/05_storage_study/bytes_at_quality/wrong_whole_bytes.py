"""Gives whole bytes, cut off.

Message: should be
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    order = np.argsort(psnrs)
    x, y = np.array(psnrs, dtype=float)[order], np.array(num_bytes, dtype=float)[order]
    return int(np.exp(np.interp(target, x, np.log(y))))
