"""Refuses a curve of one point.

Message: should give an answer
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or len(psnrs) < 2:
        raise ValueError("pairs")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target}")
    o = np.argsort(psnrs)
    return float(np.exp(np.interp(target, np.array(psnrs)[o], np.log(num_bytes)[o])))
