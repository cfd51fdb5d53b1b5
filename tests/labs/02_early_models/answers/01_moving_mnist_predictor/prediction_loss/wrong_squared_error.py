"""Squared error of the brightness.

Message: that is a squared error
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    return (torch.sigmoid(z) - x).square().mean()
