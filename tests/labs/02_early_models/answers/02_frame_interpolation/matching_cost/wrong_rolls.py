"""Shifts with roll.

Message: roll
"""


def matching_cost(first, last, radius):
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    if radius < 0:
        raise ValueError(f"radius {radius}")
    steps = range(-radius, radius + 1)
    costs = [
        (first.roll((dy, dx), dims=(2, 3)) - last.roll((-dy, -dx), dims=(2, 3))).abs().mean(dim=1)
        for dy in steps
        for dx in steps
    ]
    return torch.stack(costs, dim=1)
