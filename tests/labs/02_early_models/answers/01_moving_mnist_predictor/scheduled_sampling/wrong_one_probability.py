"""Can compare with one number only.

Message: raises
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
    frames = []
    for k in range(len(truth)):
        frames.append(truth[k] if coins[k] < float(probability) else predicted[k])
    return torch.stack(frames)
