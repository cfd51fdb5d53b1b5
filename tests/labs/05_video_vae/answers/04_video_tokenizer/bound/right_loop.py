"""Channel by channel, with plain numbers."""


def bound(z, levels):
    if len(levels) != z.shape[1]:
        raise ValueError(f"{len(levels)} levels for {z.shape[1]} channels")
    found = []
    for channel, count in enumerate(levels):
        half = (count - 1) * 1.001 / 2
        offset = 0.0 if count % 2 else 0.5
        found.append(torch.tanh(z[:, channel] + math.atanh(offset / half)) * half - offset)
    return torch.stack(found, dim=1)
