"""Keeps s away from 0 and 1.

Message: both included
"""


def from_velocity(x, velocity, s):
    s = s.clamp(0.01, 0.99)[:, None, None, None]
    return x - s * velocity, x + (1 - s) * velocity
