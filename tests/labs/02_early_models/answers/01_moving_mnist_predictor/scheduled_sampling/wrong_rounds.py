"""Decides by the probability alone, rounded.

Message: takes all samples from one
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    chosen = torch.as_tensor(probability).expand(len(truth)) > 0.5
    return torch.where(append_dims(chosen, truth), truth, predicted)
