"""Takes the velocity for the data.

Message: s times the velocity behind
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return velocity, (x - (1 - s) * velocity) / s.clamp(min=1e-6)
