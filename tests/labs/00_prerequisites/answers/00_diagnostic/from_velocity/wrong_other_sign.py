"""Takes the velocity for x0 - eps.

Message: other sign
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return x + s * velocity, x - (1 - s) * velocity
