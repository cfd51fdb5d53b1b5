"""A copy of the prediction, some samples written over."""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    out, heads = predicted.clone(), coins < probability
    out[heads] = truth[heads]
    return out
