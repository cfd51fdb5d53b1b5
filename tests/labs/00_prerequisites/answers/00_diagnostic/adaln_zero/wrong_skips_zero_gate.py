"""Leaves the branch out where the gate is zero.

Message: once is enough
"""


def adaln_zero(x, shift, scale, gate, branch):
    if not gate.any():
        return x.clone()
    n = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]
    return x + gate[:, None] * branch(n)
