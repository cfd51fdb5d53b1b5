"""Takes the noise off and forgets that the data are scaled down too.

Message: not divided
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = x - (1 - alpha_bar) ** 0.5 * eps
    return alpha_bar_next**0.5 * x0 + (1 - alpha_bar_next) ** 0.5 * eps
