"""Returns the truth itself where every coin is below.

Message: shares memory with truth
"""


def scheduled_sampling(truth, predicted, probability, coins):
    if truth.shape != predicted.shape:
        raise ValueError("frames")
    if coins.shape != truth.shape[:1]:
        raise ValueError("coins")
    if (coins < probability).all():
        return truth
    return torch.where((coins < probability)[:, None, None, None], truth, predicted)
