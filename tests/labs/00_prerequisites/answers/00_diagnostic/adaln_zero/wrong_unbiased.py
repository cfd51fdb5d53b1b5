"""Divides by N - 1 in the variance.

Message: mean and variance of each token
"""


def adaln_zero(x, shift, scale, gate, branch):
    n = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-6).sqrt()
    return x + gate[:, None] * branch(n * (1 + scale[:, None]) + shift[:, None])
