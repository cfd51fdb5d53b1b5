"""A clock that runs from refresh to refresh."""


def frame_pacing(compute, transport, refresh_rate=60.0):
    if len(compute) == 0:
        raise ValueError("no frames")
    tick, missed = 0, 0
    for milliseconds in compute:
        asked = tick
        ready = (float(milliseconds) + transport) * refresh_rate / 1000
        tick += 1
        while tick - asked < ready - 1e-9:
            tick += 1
        missed += tick - asked >= 2
    return Pacing(fps=len(compute) / (tick / refresh_rate), late=missed / len(compute))
