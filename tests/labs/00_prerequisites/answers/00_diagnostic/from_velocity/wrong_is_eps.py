"""Takes the velocity for the noise.

Message: taken for the noise
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    return (x - s * velocity) / (1 - s).clamp(min=1e-6), velocity
