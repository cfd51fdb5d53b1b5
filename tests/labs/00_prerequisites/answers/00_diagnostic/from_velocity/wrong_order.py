"""Hands back the noise first.

Message: wrong order
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return x + (1 - s) * velocity, x - s * velocity
