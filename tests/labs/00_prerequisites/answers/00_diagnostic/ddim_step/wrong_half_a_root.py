"""Forgets the root over 1 - ᾱ in x0.

Message: in x0
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) * eps) / alpha_bar**0.5
    return alpha_bar_next**0.5 * x0 + (1 - alpha_bar_next) ** 0.5 * eps
