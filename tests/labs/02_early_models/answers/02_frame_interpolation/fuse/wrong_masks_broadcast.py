"""Checks the time and forgets that a mask may be of another shape.

Message: with a mask
"""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape:
        raise ValueError(f"{tuple(warped_first.shape)} and {tuple(warped_last.shape)}")
    a = (1 - time) * (visible_first.to(warped_first.dtype) + FAINT)
    b = time * (visible_last.to(warped_first.dtype) + FAINT)
    return (a * warped_first + b * warped_last) / (a + b)
