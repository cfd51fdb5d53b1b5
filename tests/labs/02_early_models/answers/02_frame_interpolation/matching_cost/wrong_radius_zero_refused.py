"""Refuses radius 0.

Message: matching_cost(
"""


def matching_cost(first, last, radius):
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError("shapes")
    if radius <= 0:
        raise ValueError("radius")
    height, width = first.shape[-2:]
    before, after = (F.pad(p, (radius,) * 4, mode="replicate") for p in (first, last))
    costs = []
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            a = before[..., radius - dy : radius - dy + height, radius - dx : radius - dx + width]
            b = after[..., radius + dy : radius + dy + height, radius + dx : radius + dx + width]
            costs.append((a - b).abs().mean(dim=1))
    return torch.stack(costs, dim=1)
