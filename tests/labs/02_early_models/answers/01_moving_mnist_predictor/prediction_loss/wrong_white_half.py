"""Counts the white half alone.

Message: black half is missing
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    return -(x * F.logsigmoid(z)).mean()
