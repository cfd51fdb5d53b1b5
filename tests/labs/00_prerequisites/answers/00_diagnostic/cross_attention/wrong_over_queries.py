"""Lets the softmax run over the queries.

Message: over the queries
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask[:, None], -math.inf)
    return scores.softmax(1).nan_to_num() @ v
