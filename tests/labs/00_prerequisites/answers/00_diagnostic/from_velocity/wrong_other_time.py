"""Takes s = 0 for noise.

Message: time runs
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return x - (1 - s) * velocity, x + s * velocity
