"""Enlarges u and v apart, and finds for itself where the flow leaves the picture."""


def lucas_kanade(first, second, *, num_levels=4, num_iterations=4, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    if min(num_levels, num_iterations) < 1:
        raise ValueError(f"num_levels={num_levels}, num_iterations={num_iterations}")
    firsts, seconds = [first], [second]
    for _ in range(1, num_levels):
        firsts.insert(0, halve(firsts[0]))
        seconds.insert(0, halve(seconds[0]))
    u = v = torch.zeros_like(firsts[0][:, :1])
    for one, two in zip(firsts, seconds):
        h, w = one.shape[-2:]
        u = F.interpolate(u, size=(h, w), mode="bilinear") * (w / u.shape[-1])
        v = F.interpolate(v, size=(h, w), mode="bilinear") * (h / v.shape[-2])
        x, y = torch.arange(w), torch.arange(h)[:, None]
        for _ in range(num_iterations):
            back = warp(two, torch.cat([u, v], dim=1))
            outside = (x + u < 0) | (x + u > w - 1) | (y + v < 0) | (y + v > h - 1)
            step = lucas_kanade_step(one, back, valid=~outside, window=window, damping=damping)
            u, v = u + step[:, :1], v + step[:, 1:]
    return torch.cat([u, v], dim=1)
