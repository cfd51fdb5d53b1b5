"""Starts every level from zero.

Message: every size starts from zero
"""


def lucas_kanade(first, second, *, num_levels=4, num_iterations=4, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    if num_levels < 1 or num_iterations < 1:
        raise ValueError(f"num_levels={num_levels}, num_iterations={num_iterations}")
    levels = [(first, second)]
    while len(levels) < num_levels:
        levels.append((halve(levels[-1][0]), halve(levels[-1][1])))
    flow = None
    for a, b in levels[::-1]:
        height, width = a.shape[-2:]
        if flow is None:
            flow = torch.zeros(a.shape[0], 2, height, width, dtype=a.dtype)
        else:
            old_height, old_width = flow.shape[-2:]
            flow = torch.zeros(a.shape[0], 2, height, width)
            flow = flow * torch.tensor([width / old_width, height / old_height]).view(1, 2, 1, 1)
        for _ in range(num_iterations):
            step = lucas_kanade_step(a, warp(b, flow), valid=points_inside(flow), window=window, damping=damping)
            flow = flow + step
    return flow
