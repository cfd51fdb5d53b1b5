"""One sample after the other."""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    limits = torch.as_tensor(probability, device=coins.device).expand(len(coins))
    pairs = zip(truth, predicted, (coins < limits).tolist())
    return torch.stack([true if heads else guess for true, guess, heads in pairs])
