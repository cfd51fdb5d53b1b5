"""Norms over the tokens.

Message: over the tokens
"""


def adaln_zero(x, shift, scale, gate, branch):
    normed = F.layer_norm(x.transpose(1, 2), (x.shape[1],), eps=1e-6).transpose(1, 2)
    return x + gate[:, None] * branch(normed * (1 + scale[:, None]) + shift[:, None])
