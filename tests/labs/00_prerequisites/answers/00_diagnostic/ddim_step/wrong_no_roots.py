"""Takes variances for standard deviations throughout.

Message: √(1 - ᾱ) eps
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) * eps) / alpha_bar
    return alpha_bar_next * x0 + (1 - alpha_bar_next) * eps
