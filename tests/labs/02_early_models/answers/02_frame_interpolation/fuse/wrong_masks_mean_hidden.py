"""Reads the masks as what is hidden.

Message: read as what is hidden
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
    one = visible_first.to(warped_first.dtype)
    two = visible_last.to(warped_first.dtype)
    a = (1 - time) * (1 - one + FAINT)
    b = time * (1 - two + FAINT)
    return (a * warped_first + b * warped_last) / (a + b)
