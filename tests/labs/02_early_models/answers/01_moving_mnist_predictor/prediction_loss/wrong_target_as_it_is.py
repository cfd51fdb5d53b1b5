"""Takes pixels for probabilities.

Message: used as it is
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), target.float()
    return (z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs()))).mean()
