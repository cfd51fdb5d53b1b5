"""Roots the noise only.

Message: root over ᾱ is missing
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return a * x0 + (1 - a).sqrt() * eps
