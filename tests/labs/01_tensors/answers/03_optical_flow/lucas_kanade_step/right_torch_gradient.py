"""torch.gradient, whose one-sided slopes at the border are halved: there a pixel is its own neighbour."""


def lucas_kanade_step(first, second, *, valid=None, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} {tuple(second.shape)}")
    dy, dx = torch.gradient((first + second) / 2, dim=(2, 3))
    dx[..., 0], dx[..., -1] = dx[..., 0] / 2, dx[..., -1] / 2
    dy[..., 0, :], dy[..., -1, :] = dy[..., 0, :] / 2, dy[..., -1, :] / 2
    dt = second - first
    m = torch.ones_like(first[:, :1]) if valid is None else valid.to(first.dtype)
    avg = lambda p: window_average(p.mean(1, keepdim=True) * m, window)[:, 0]
    a, b, d = avg(dx * dx) + damping, avg(dx * dy), avg(dy * dy) + damping
    p, q = -avg(dx * dt), -avg(dy * dt)
    det = a * d - b * b
    return torch.stack([(d * p - b * q) / det, (a * q - b * p) / det], 1)
