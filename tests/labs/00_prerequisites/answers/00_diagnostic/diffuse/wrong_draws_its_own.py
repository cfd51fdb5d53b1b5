"""Draws noise of its own instead of using what it is given.

Message: √ᾱ x0
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * torch.randn_like(eps)
