"""Assumes that more quality never costs fewer bytes.

Message: belong together
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError("pairs")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target}")
    o = np.argsort(psnrs)
    return float(np.exp(np.interp(target, np.array(psnrs)[o], np.maximum.accumulate(np.log(num_bytes)[o]))))
