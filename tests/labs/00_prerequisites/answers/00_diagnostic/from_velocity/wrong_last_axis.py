"""Lets s meet the last axis where it fits.

Message: last axis
"""


def from_velocity(x, velocity, s):
    s = s if len(s) == x.shape[-1] else s[:, None, None, None]
    return x - s * velocity, x + (1 - s) * velocity
