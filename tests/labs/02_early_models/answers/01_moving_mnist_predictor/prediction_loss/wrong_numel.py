"""Compares the numbers of pixels, not the shapes.

Message: should raise ValueError
"""


def prediction_loss(logits, target):
    if logits.numel() != target.numel():
        raise ValueError("shapes")
    z, x = logits.float(), (target.float() + 1) / 2
    return (F.softplus(z) - x * z).mean()
