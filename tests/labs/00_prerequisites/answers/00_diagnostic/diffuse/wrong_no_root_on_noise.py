"""Roots the signal and leaves the noise's variance as its factor.

Message: variance of the noise
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return a.sqrt() * x0 + (1 - a) * eps
