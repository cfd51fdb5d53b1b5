"""Compares height and width alone.

Message: frames (2, 3, 4, 5) and (2, 1, 4, 5)
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape[2:] != predicted.shape[2:]:
        raise ValueError(f"shapes {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for {len(truth)}")
    return torch.where(append_dims(coins < probability, truth), truth, predicted)
