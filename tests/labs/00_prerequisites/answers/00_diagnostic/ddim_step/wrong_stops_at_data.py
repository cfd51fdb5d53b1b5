"""Hands back x0.

Message: stops at x0
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    return (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
