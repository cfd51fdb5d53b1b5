"""The same formula with the common factor outside."""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    to_first = time * (time * backward - (1 - time) * forward)
    to_last = (1 - time) * ((1 - time) * forward - time * backward)
    return warp(first, to_first), warp(last, to_last)
