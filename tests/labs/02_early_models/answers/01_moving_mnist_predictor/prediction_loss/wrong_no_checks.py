"""Checks nothing: one frame meets three.

Message: should raise ValueError
"""


def prediction_loss(logits, target):
    z, x = logits.float(), (target.float() + 1) / 2
    return (z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs()))).mean()
