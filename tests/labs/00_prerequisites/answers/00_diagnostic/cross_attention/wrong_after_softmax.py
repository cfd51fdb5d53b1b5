"""Masks after the softmax.

Message: after the softmax
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    return (scores.softmax(-1) * mask[:, None]) @ v
