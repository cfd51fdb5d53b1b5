"""Writes the softmax by hand without taking off the largest score.

Message: nan
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    weights = scores.exp()
    return weights / weights.sum(-1, keepdim=True) @ v
