"""Reads the mean of the probabilities for all.

Message: one per sample
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError("frames")
    if coins.shape != truth.shape[:1]:
        raise ValueError("coins")
    return torch.where((coins < torch.as_tensor(probability).float().mean())[:, None, None, None], truth, predicted)
