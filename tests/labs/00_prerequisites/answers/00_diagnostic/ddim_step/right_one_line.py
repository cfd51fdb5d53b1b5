"""One expression: the ratio of the signals, and what is left for the noise."""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    ratio = (alpha_bar_next / alpha_bar) ** 0.5
    return ratio * x + ((1 - alpha_bar_next) ** 0.5 - ratio * (1 - alpha_bar) ** 0.5) * eps
