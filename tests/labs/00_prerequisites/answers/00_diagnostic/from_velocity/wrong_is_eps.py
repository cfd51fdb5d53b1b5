"""Takes the velocity for the noise.

Message: s times the velocity behind
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return (x - s * velocity) / (1 - s).clamp(min=1e-6), velocity
