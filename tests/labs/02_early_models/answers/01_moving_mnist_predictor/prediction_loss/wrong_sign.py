"""Forgets the minus.

Message: sign is wrong
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (target.float() + 1) / 2
    return -(z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs()))).mean()
