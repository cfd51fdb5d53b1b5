"""Keeps ᾱ away from 0 and 1.

Message: each picture has its own ᾱ
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None].clamp(1e-3, 1 - 1e-3)
    return a.sqrt() * x0 + (1 - a).sqrt() * eps
