"""Noises again with fresh noise, as DDPM does.

Message: with the same eps
"""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    x0 = (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
    return alpha_bar_next**0.5 * x0 + (1 - alpha_bar_next) ** 0.5 * torch.randn_like(x)
