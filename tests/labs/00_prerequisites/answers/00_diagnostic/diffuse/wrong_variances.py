"""Takes variances for standard deviations: no roots anywhere.

Message: roots are missing
"""


def diffuse(x0, eps, alpha_bar):
    a = alpha_bar[:, None, None, None]
    return a * x0 + (1 - a) * eps
