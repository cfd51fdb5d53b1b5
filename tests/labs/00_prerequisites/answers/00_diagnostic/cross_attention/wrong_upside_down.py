"""Takes True for padding.

Message: upside down
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(mask[:, None], -1e30)
    weights = scores.softmax(-1) * (~mask[:, None])
    return weights @ v
