"""Takes a target of 0 dB for no target.

Message: should raise ValueError
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError("pairs")
    target = target or max(psnrs)
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target}")
    o = np.argsort(psnrs)
    return float(np.exp(np.interp(target, np.array(psnrs)[o], np.log(num_bytes)[o])))
