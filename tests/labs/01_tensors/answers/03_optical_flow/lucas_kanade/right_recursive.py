"""Calls itself on the halved pictures."""


def lucas_kanade(first, second, *, num_levels=4, num_iterations=4, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    if num_levels < 1 or num_iterations < 1:
        raise ValueError(f"num_levels={num_levels}, num_iterations={num_iterations}")
    knobs = {"num_iterations": num_iterations, "window": window, "damping": damping}
    if num_levels == 1:
        flow = torch.zeros_like(first[:, :1]).repeat(1, 2, 1, 1)
    else:
        small = lucas_kanade(halve(first), halve(second), num_levels=num_levels - 1, **knobs)
        height, width = first.shape[-2:]
        flow = F.interpolate(small, size=(height, width), mode="bilinear")
        flow[:, 0] *= width / small.shape[-1]
        flow[:, 1] *= height / small.shape[-2]
    for _ in range(num_iterations):
        inside = points_inside(flow)
        flow += lucas_kanade_step(first, warp(second, flow), damping=damping, window=window, valid=inside)
    return flow
