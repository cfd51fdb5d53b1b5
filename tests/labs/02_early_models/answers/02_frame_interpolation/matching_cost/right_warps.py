"""Constant flows and the warp of lab 01.3."""


def matching_cost(first, last, radius):
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    if radius < 0:
        raise ValueError(f"radius {radius}")
    batch, _, height, width = first.shape
    out = first.new_empty(batch, (2 * radius + 1) ** 2, height, width)
    channels = []
    for k in range(out.shape[1]):
        dy, dx = divmod(k, 2 * radius + 1)
        way = first.new_tensor([dx - radius, dy - radius]).reshape(1, 2, 1, 1).expand(batch, 2, height, width)
        channels.append(torch.mean((warp(first, -way) - warp(last, way)).abs(), dim=1))
    return torch.stack(channels, dim=1)
