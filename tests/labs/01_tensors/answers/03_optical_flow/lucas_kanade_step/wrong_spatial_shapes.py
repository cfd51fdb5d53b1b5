"""Compares only the sizes of the pictures, and broadcasts the rest.

Message: should raise ValueError
"""


def lucas_kanade_step(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    valid: torch.Tensor | None = None,
    window: int = 13,
    damping: float = 1e-3,
) -> torch.Tensor:
    if first.ndim != 4 or first.shape[-2:] != second.shape[-2:]:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    average = F.pad((first + second) / 2, (1, 1, 1, 1), mode="replicate")  # (B, C, H + 2, W + 2)
    dx = (average[..., 1:-1, 2:] - average[..., 1:-1, :-2]) / 2  # (B, C, H, W)
    dy = (average[..., 2:, 1:-1] - average[..., :-2, 1:-1]) / 2  # (B, C, H, W)
    dt = second - first
    products = torch.stack([dx * dx, dx * dy, dy * dy, dx * dt, dy * dt], dim=1).mean(dim=2)  # (B, 5, H, W)
    if valid is not None:
        products = products * valid
    xx, xy, yy, xt, yt = window_average(products, window).unbind(dim=1)  # (B, H, W) each
    xx, yy = xx + damping, yy + damping
    determinant = xx * yy - xy * xy  # at least damping squared
    u = (xy * yt - yy * xt) / determinant
    v = (xy * xt - xx * yt) / determinant
    return torch.stack([u, v], dim=1)  # (B, 2, H, W)
