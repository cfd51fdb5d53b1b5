"""Mixes both in the proportion of the probability.

Message: mixed to a ghost
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    share = torch.as_tensor(probability, dtype=truth.dtype).expand(len(truth)).reshape(-1, 1, 1, 1)
    return share * truth + (1 - share) * predicted
