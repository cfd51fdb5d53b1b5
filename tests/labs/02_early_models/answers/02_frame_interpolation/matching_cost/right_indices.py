"""Clamped indices instead of padding."""


def matching_cost(first, last, radius):
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    if radius < 0:
        raise ValueError(f"radius {radius}")
    height, width = first.shape[2:]
    rows, columns = torch.arange(height), torch.arange(width)

    def moved(picture, dx, dy):
        return picture[:, :, (rows + dy).clamp(0, height - 1)][..., (columns + dx).clamp(0, width - 1)]

    ways = [(dx, dy) for dy in range(-radius, radius + 1) for dx in range(-radius, radius + 1)]
    return torch.cat([(moved(first, -dx, -dy) - moved(last, dx, dy)).abs().mean(1, True) for dx, dy in ways], 1)
