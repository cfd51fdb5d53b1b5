"""Gives padding a score of zero.

Message: e⁰
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    return (scores * mask[:, None]).softmax(-1) @ v
