"""Adds damping to the determinant instead of the diagonal.

Message: added to the determinant
"""


def lucas_kanade_step(first, second, *, valid=None, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    average = (first + second) / 2
    padded = F.pad(average, (1, 1, 1, 1), mode="replicate")
    dx = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    dy = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    dt = second - first
    products = torch.stack([dx * dx, dx * dy, dy * dy, dx * dt, dy * dt], dim=1).mean(dim=2)
    if valid is not None:
        products = torch.where(valid, products, 0.0)
    a, b, d, p, q = window_average(products, window).unbind(dim=1)
    determinant = a * d - b * b + damping
    u = -(d * p - b * q) / determinant
    v = -(a * q - b * p) / determinant
    return torch.stack([u, v], dim=1)
