"""Uses the default eps of layer norm.

Message: eps = 1e-6
"""


def adaln_zero(x, shift, scale, gate, branch):
    n = F.layer_norm(x, x.shape[-1:], eps=1e-5)
    return x + gate[:, None] * branch(n * (1 + scale[:, None]) + shift[:, None])
