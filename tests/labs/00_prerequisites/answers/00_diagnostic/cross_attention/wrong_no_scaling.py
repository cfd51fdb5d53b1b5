"""Forgets √d.

Message: not divided by √d
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2)
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(-1) @ v
