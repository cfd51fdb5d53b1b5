"""Sorts the lists it was given.

Message: changed the
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    pairs = sorted(zip(psnrs, num_bytes))
    psnrs[:] = [q for q, _ in pairs]
    num_bytes[:] = [b for _, b in pairs]
    return float(np.exp(np.interp(target, psnrs, np.log(num_bytes))))
