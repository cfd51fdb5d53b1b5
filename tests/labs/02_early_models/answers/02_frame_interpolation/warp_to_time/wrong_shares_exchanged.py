"""Lets the far end count more than the near one.

Message: the shares are swapped
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    motion = time * forward - (1 - time) * backward
    return warp(first, -time * motion), warp(last, (1 - time) * motion)
