"""Uses the formulas of DDPM's v-prediction.

Message: v-prediction
"""


def from_velocity(x, velocity, s):
    s = s[:, None, None, None]
    c = (1 - s**2).sqrt()
    return c * x - s * velocity, s * x + c * velocity
