"""Never looks at time or shapes.

Message: ValueError
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    motion = (1 - time) * forward - time * backward
    return warp(first, -time * motion), warp(last, (1 - time) * motion)
