"""Uses the first text's mask for all.

Message: first one
"""


def cross_attention(q, k, v, mask):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask[:1, None], -math.inf).softmax(-1) @ v
