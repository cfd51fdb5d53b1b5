"""Scales x0 for the next time and leaves out the noise.

Message: not put back
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
    return alpha_bar_next**0.5 * x0
