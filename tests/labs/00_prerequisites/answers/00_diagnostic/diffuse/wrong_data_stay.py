"""Adds noise and leaves the data as large as they were, as a variance-exploding process does.

Message: not scaled down
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return x0 + (1 - a).sqrt() * eps
