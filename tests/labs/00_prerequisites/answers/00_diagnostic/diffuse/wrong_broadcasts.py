"""Multiplies (B,) with (B, C, H, W) as it is.

Message: your code raises
"""


def diffuse(x0, eps, alpha_bar):
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps
