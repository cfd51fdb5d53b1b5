"""Writes the definition down: log of a sigmoid.

Message: the logarithm of 0 was taken
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    p = torch.sigmoid(z)
    return -(x * p.log() + (1 - x) * (1 - p).log()).mean()
