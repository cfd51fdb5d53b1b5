"""Lets (B, D) meet (B, N, D) as it is.

Message: your code raises
"""


def adaln_zero(x, shift, scale, gate, branch):
    normed = F.layer_norm(x, x.shape[-1:], eps=1e-6)
    return x + gate * branch(normed * (1 + scale) + shift)
