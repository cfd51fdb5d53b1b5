"""Writes the formula for one half, whatever the time.

Message: whatever `time` is
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    to_first = (backward - forward) / 4
    to_last = (forward - backward) / 4
    return warp(first, to_first), warp(last, to_last)
