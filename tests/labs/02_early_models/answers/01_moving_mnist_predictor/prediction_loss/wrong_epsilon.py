"""Adds a little before the logarithm.

Message: epsilon
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    p, e = torch.sigmoid(z), 1e-7
    return -(x * (p + e).log() + (1 - x) * (1 - p + e).log()).mean()
