"""A plus in the place of the first minus.

Message: the first is fetched from -t (8, -4)
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    to_first = (1 - time) * time * forward + time**2 * backward
    to_last = (1 - time) ** 2 * forward + time * (1 - time) * backward
    return warp(first, to_first), warp(last, to_last)
