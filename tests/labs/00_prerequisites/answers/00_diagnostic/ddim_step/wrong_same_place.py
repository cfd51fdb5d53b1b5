"""Noises again for the time it came from.

Message: nothing moves
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
    return alpha_bar**0.5 * x0 + (1 - alpha_bar) ** 0.5 * eps
