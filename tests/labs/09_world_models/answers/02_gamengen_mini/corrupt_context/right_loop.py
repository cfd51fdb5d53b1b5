"""Sample by sample."""


def corrupt_context(frames, level, eps):
    return torch.stack([torch.add(x, e, alpha=float(s)) for x, s, e in zip(frames, level, eps)])
