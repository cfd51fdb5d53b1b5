"""Uses one ᾱ for the whole batch.

Message: the first one
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[0]
    return a.sqrt() * x0 + (1 - a).sqrt() * eps
