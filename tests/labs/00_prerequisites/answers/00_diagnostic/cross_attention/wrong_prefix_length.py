"""Assumes that padding comes last.

Message: as if the padding were cut off
"""


def cross_attention(q, k, v, mask):
    out = []
    for b in range(len(q)):
        n = int(mask[b].sum())
        s = q[b] @ k[b, :n].T / math.sqrt(q.shape[-1])
        out.append(s.softmax(-1) @ v[b, :n])
    return torch.stack(out)
