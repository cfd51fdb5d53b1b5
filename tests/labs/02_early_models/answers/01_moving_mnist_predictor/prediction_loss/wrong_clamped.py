"""Holds the logits back.

Message: Is something clamped
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float().clamp(-30, 30), (target.float() + 1) / 2
    return (z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs()))).mean()
