"""Lets zip drop what has no partner.

Message: should raise ValueError
"""


def bytes_at_quality(num_bytes, psnrs, target):
    pairs = sorted(zip(psnrs, num_bytes))
    if not pairs or not pairs[0][0] <= target <= pairs[-1][0]:
        raise ValueError(f"{target} dB lies outside")
    return float(np.exp(np.interp(target, [q for q, _ in pairs], np.log([b for _, b in pairs]))))
