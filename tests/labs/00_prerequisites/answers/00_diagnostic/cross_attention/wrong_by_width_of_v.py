"""Divides by the root of the values' width.

Message: width of v
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(v.shape[-1])
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(-1) @ v
