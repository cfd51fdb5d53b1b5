"""Gives data the noise's factor and noise the data's.

Message: each other's factors
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return (1 - a).sqrt() * x0 + a.sqrt() * eps
