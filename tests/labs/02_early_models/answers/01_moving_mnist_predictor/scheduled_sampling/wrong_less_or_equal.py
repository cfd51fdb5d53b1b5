"""Reads the truth where the coin equals the probability.

Message: not where it is equal
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    return torch.where(append_dims(coins <= probability, truth), truth, predicted)
