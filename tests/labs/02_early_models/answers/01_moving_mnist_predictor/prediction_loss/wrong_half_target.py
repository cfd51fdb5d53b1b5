"""Brings the target to brightness in half precision.

Message: convert to float32 first
"""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError("shapes")
    z, x = logits.float(), ((target + 1) / 2).float()
    return (F.softplus(z) - x * z).mean()
