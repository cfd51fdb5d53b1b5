"""Calls the branch twice.

Message: once is enough
"""


def adaln_zero(x, shift, scale, gate, branch):
    normed = F.layer_norm(x, x.shape[-1:], eps=1e-6)
    shift, scale, gate = shift[:, None], scale[:, None], gate[:, None]
    branch(normed)
    return x + gate * branch(normed * (1 + scale) + shift)
