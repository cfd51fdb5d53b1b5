"""Divides by d.

Message: divided by d,
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / q.shape[-1]
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(-1) @ v
