"""Sorts by bytes.

Message: belong together
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB lies outside")
    pairs = sorted(zip(num_bytes, psnrs))
    return float(np.exp(np.interp(target, [q for _, q in pairs], np.log([b for b, _ in pairs]))))
