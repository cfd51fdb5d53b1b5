"""Counts the coins, on whatever axes they lie.

Message: coins (2, 1)
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"shapes {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.numel() != len(truth):
        raise ValueError(f"coins {tuple(coins.shape)} for {len(truth)}")
    return torch.where((coins < probability).reshape(-1, 1, 1, 1), truth, predicted)
