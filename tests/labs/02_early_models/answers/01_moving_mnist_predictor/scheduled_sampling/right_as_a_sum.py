"""Ones and zeros in place of a choice."""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    heads = (coins < probability).to(truth.dtype)[:, None, None, None]
    return heads * truth + (1 - heads) * predicted
