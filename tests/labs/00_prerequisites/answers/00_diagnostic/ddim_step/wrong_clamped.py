"""Clamps x0 to the range of pixels.

Message: clamped
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = ((x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5).clamp(-1, 1)
    return alpha_bar_next**0.5 * x0 + (1 - alpha_bar_next) ** 0.5 * eps
