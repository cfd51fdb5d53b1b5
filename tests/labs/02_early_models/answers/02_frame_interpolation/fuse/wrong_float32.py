"""Turns everything into float32.

Message: should be float64 as its input is
"""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape:
        raise ValueError(f"{tuple(warped_first.shape)} and {tuple(warped_last.shape)}")
    wanted = (warped_first.shape[0], 1, warped_first.shape[2], warped_first.shape[3])
    for mask in (visible_first, visible_last):
        if tuple(mask.shape) != wanted:
            raise ValueError(f"mask {tuple(mask.shape)}, not {wanted}")
    a = (1 - time) * (visible_first.float() + FAINT)
    b = time * (visible_last.float() + FAINT)
    return (a * warped_first.float() + b * warped_last.float()) / (a + b)
