"""Adds FAINT to the product, not to the mask.

Message: with w0 = (1 - t) (V0 + FAINT)
"""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape:
        raise ValueError("shapes")
    wanted = (len(warped_first), 1, *warped_first.shape[-2:])
    for visible in (visible_first, visible_last):
        if tuple(visible.shape) != wanted:
            raise ValueError("mask")
    w0 = (1 - time) * visible_first.to(warped_first.dtype) + FAINT
    w1 = time * visible_last.to(warped_last.dtype) + FAINT
    return (w0 * warped_first + w1 * warped_last) / (w0 + w1)
