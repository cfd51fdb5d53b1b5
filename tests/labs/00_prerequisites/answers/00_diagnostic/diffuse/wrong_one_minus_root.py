"""Lets the standard deviations add up to 1 instead of the variances.

Message: variances
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None].sqrt()
    return a * x0 + (1 - a) * eps
