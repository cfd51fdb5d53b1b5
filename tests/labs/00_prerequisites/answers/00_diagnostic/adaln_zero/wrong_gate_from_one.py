"""Gates by 1 + gate.

Message: added whole
"""


def adaln_zero(x, shift, scale, gate, branch):
    normed = F.layer_norm(x, x.shape[-1:], eps=1e-6)
    shift, scale, gate = shift[:, None], scale[:, None], gate[:, None]
    return x + (1 + gate) * branch(normed * (1 + scale) + shift)
