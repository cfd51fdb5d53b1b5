"""Gives x0 and the noise each other's factors.

Message: factors of the second line are swapped
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
    return (1 - alpha_bar_next) ** 0.5 * x0 + alpha_bar_next**0.5 * eps
