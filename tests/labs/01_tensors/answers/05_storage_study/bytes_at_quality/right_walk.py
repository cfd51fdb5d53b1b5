"""Walks along the sorted pairs."""


def bytes_at_quality(num_bytes, psnrs, target):
    import math

    pairs = sorted(zip(psnrs, num_bytes, strict=True))
    if not pairs:
        raise ValueError("an empty curve")
    if target < pairs[0][0] or target > pairs[-1][0]:
        raise ValueError(f"no measurement at {target} dB")
    for psnr, size in pairs:
        if psnr == target:
            return float(size)
    for (low, few), (high, many) in zip(pairs, pairs[1:]):
        if low < target < high:
            part = (target - low) / (high - low)
            return few * math.pow(many / few, part)
