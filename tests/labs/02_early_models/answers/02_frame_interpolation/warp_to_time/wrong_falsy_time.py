"""Takes time 0 for no time at all.

Message: the first is fetched from
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError("shapes")
    time = time or 0.5
    to_first = -(1 - time) * time * forward + time**2 * backward
    to_last = (1 - time) ** 2 * forward - time * (1 - time) * backward
    return warp(first, to_first), warp(last, to_last)
