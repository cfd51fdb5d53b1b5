"""A divergence: the entropy of the target is taken off.

Message: own entropy
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    return (F.softplus(z) - x * z + torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).mean()
