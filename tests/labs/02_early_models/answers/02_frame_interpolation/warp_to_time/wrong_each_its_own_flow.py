"""Scales for each picture the flow that starts at the other end.

Message: warped by one flow alone
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    return warp(first, time * backward), warp(last, (1 - time) * forward)
