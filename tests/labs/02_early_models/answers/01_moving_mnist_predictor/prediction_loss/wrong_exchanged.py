"""Takes black for white.

Message: black and white are swapped
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    z, x = logits.float(), (1 - target.float()) / 2
    return (z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs()))).mean()
