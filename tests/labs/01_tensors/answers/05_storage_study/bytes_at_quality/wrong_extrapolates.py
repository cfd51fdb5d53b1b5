"""Carries the last line on outside the measured range.

Message: should raise ValueError
"""


def bytes_at_quality(num_bytes, psnrs, target):
    if len(num_bytes) != len(psnrs) or not psnrs:
        raise ValueError(f"{len(num_bytes)} and {len(psnrs)}")
    order = np.argsort(psnrs)
    x, y = np.array(psnrs, dtype=float)[order], np.array(num_bytes, dtype=float)[order]
    if len(x) == 1:
        return float(y[0])
    i = int(np.clip(np.searchsorted(x, target) - 1, 0, len(x) - 2))
    part = (target - x[i]) / (x[i + 1] - x[i])
    return float(np.exp(np.log(y[i]) + part * (np.log(y[i + 1]) - np.log(y[i]))))
