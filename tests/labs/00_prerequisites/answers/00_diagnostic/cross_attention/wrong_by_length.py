"""Divides by the root of the number of tokens.

Message: softmax(q · k / √d)
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(k.shape[1])
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(-1) @ v
