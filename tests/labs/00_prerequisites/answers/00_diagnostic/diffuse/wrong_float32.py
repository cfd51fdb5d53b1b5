"""Computes in float32, whatever it is given.

Message: should be float64
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None].float()
    return a.sqrt() * x0.float() + (1 - a).sqrt() * eps.float()
