"""Takes the first sample's probability for all.

Message: by the coins it is
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    probability = torch.as_tensor(probability).flatten()[0]
    return torch.where(append_dims(coins < probability, truth), truth, predicted)
