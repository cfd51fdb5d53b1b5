"""Adds -10,000 to the scores of padding.

Message: needs -inf, not a number
"""


def cross_attention(q, k, v, mask):
    s = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]) + (~mask[:, None]) * -1e4
    return s.softmax(-1) @ v
