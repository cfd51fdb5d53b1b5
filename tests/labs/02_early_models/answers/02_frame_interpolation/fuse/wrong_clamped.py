"""Clamps the result to [-1, 1].

Message: Each pixel is (w0 first + w1 last)
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
    first_counts = (1 - time) * (visible_first.to(warped_first.dtype) + FAINT)
    last_counts = time * (visible_last.to(warped_first.dtype) + FAINT)
    share = last_counts / (first_counts + last_counts)
    return torch.lerp(warped_first, warped_last, share.expand_as(warped_first)).clamp(-1, 1)
