"""Lets half of the gradient through.

Message: in full
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError("frames")
    if coins.shape != truth.shape[:1]:
        raise ValueError("coins")
    return torch.where((coins < probability)[:, None, None, None], truth, 0.5 * predicted + 0.5 * predicted.detach())
