"""Uses the first s for all.

Message: first one
"""


def from_velocity(x, velocity, s):
    return x - s[0] * velocity, x + (1 - s[0]) * velocity
