"""Takes the flows out of the graph, as if they were data.

Message: no gradient reaches
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    motion = ((1 - time) * forward - time * backward).detach()
    return warp(first, -time * motion), warp(last, (1 - time) * motion)
