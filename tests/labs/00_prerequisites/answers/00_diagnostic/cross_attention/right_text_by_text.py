"""Text by text, with the padding cut off."""


def cross_attention(q, k, v, mask):
    return torch.stack([(a @ b[m].T / a.shape[-1] ** 0.5).softmax(-1) @ c[m] for a, b, c, m in zip(q, k, v, mask)])
