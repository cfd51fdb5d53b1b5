"""Scales the data in place.

Message: changed the x0
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    x0 *= a.sqrt()
    return x0 + (1 - a).sqrt() * eps
