"""Gives the truth to the first part of the batch.

Message: by the coins it is
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    count = (torch.as_tensor(probability) * len(truth)).mean().round()
    return torch.where(append_dims(torch.arange(len(truth)) < count, truth), truth, predicted)
