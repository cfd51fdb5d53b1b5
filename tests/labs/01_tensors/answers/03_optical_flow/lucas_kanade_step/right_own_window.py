"""Convolutions for the slopes and its own Gaussian window."""


def lucas_kanade_step(first, second, *, valid=None, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    channels = first.shape[1]
    kernel = torch.tensor([-0.5, 0.0, 0.5], dtype=first.dtype)
    mean = 0.5 * first + 0.5 * second
    dx = F.conv2d(F.pad(mean, (1, 1, 0, 0), mode="replicate"), kernel.expand(channels, 1, 1, 3), groups=channels)
    dy = F.conv2d(
        F.pad(mean, (0, 0, 1, 1), mode="replicate"), kernel[:, None].expand(channels, 1, 3, 1), groups=channels
    )
    dt = second - first
    r = window // 2
    line = torch.exp(-0.5 * (torch.arange(-r, r + 1, dtype=first.dtype) / (window / 4)) ** 2)
    weights = line[:, None] * line[None, :]
    weights = (weights / weights.sum())[None, None]

    def around(product):
        one = product.mean(dim=1, keepdim=True)
        if valid is not None:
            one = one.masked_fill(~valid, 0)
        return F.conv2d(F.pad(one, (r, r, r, r), mode="replicate"), weights)[:, 0]

    xx, xy, yy = around(dx * dx) + damping, around(dx * dy), around(dy * dy) + damping
    xt, yt = around(dx * dt), around(dy * dt)
    det = xx * yy - xy**2
    return torch.stack(((xy * yt - yy * xt) / det, (xy * xt - xx * yt) / det), 1)
