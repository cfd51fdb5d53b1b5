"""Leaves the absolute value out: the exponential overflows.

Message: logits of 200
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    return (torch.log1p(torch.exp(z)) - x * z).mean()
