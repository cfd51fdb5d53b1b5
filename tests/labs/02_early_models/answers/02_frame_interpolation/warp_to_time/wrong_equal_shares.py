"""Takes the mean of both flows at every time.

Message: equal shares
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    motion = (forward - backward) / 2
    return warp(first, -time * motion), warp(last, (1 - time) * motion)
