"""Interpolates in powers of two with torch-free numpy, by searchsorted."""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs):
        raise ValueError("pairs, please")
    if len(psnrs) == 0 or target > max(psnrs) or target < min(psnrs):
        raise ValueError(f"{target} is not between the measured qualities")
    points = np.array(sorted(zip(psnrs, num_bytes)), dtype=np.float64)
    right = int(np.searchsorted(points[:, 0], target))
    if points[right, 0] == target:
        return float(points[right, 1])
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    weight = (target - x0) / (x1 - x0)
    return float(2 ** (np.log2(y0) * (1 - weight) + np.log2(y1) * weight))
