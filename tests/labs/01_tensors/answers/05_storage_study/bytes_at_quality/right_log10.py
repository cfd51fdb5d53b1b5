"""Base 10, and a dict of the points."""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or len(psnrs) < 1:
        raise ValueError("as many bytes as PSNRs, and at least one")
    points = dict(zip(psnrs, num_bytes))
    quality = sorted(points)
    if target < quality[0]:
        raise ValueError(f"{target} lies below {quality[0]}")
    if target > quality[-1]:
        raise ValueError(f"{target} lies above {quality[-1]}")
    return float(10 ** np.interp(target, quality, [np.log10(points[q]) for q in quality]))
