"""Finds the noise from x0 by dividing by s.

Message: is nan
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    x0 = x - s * velocity
    return x0, (x - (1 - s) * x0) / s
