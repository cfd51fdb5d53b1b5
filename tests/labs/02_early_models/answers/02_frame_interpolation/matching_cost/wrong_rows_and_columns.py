"""Lets dx be the outer loop.

Message: rows and columns are swapped
"""


def matching_cost(first, last, radius):
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    if radius < 0:
        raise ValueError(f"radius {radius}")
    height, width = first.shape[-2:]
    before = F.pad(first, (radius,) * 4, mode="replicate")
    after = F.pad(last, (radius,) * 4, mode="replicate")
    costs = []
    for dx in range(-radius, radius + 1):
        for dy in range(-radius, radius + 1):
            a = before[..., radius - dy : radius - dy + height, radius - dx : radius - dx + width]
            b = after[..., radius + dy : radius + dy + height, radius + dx : radius + dx + width]
            costs.append((a - b).abs().mean(dim=1))
    return torch.stack(costs, dim=1)
