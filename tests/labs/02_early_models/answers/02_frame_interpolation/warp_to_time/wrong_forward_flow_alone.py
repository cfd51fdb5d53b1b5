"""Scales the forward flow, and never uses the one back.

Message: only `forward` is used
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    return warp(first, -time * forward), warp(last, (1 - time) * forward)
