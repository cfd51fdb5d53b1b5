"""Mirrors the picture at the border instead of repeating it.

Message: border pixels are repeated
"""


def lucas_kanade_step(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    valid: torch.Tensor | None = None,
    window: int = 13,
    damping: float = 1e-3,
) -> torch.Tensor:
    """The small motion that explains best, around each pixel, how the first picture became the second.

    Brightness moves along: `dx * u + dy * v + dt = 0` for the motion `(u, v)`. One equation a pixel and two unknowns,
    so the pixels of a window share their motion, and its squared errors are minimized:

        [<dx dx> + damping   <dx dy>          ] [u]     [<dx dt>]
        [<dx dy>             <dy dy> + damping] [v] = - [<dy dt>]

    `dx` and `dy` are half the difference of a pixel's two neighbours (columns x + 1 and x - 1, rows y + 1 and y - 1) in
    the average of the two pictures, border pixels repeated outside; `dt` is `second - first`. `<...>` is the mean over
    the channels, set to zero where the pixel is not `valid`, then `window_average`. `damping` keeps the motion at zero
    where there is nothing to see.

    Args:
        first: `(B, C, H, W)`, values in [-1, 1].
        second: the same shape, a moment later.
        valid: bool `(B, 1, H, W)`, the pixels that have a say in the windows around them; None for all.
        window: side of the window in pixels, odd.
        damping: what is added to the diagonal, above 0, in squared units of brightness.

    Returns:
        `(B, 2, H, W)`: `u` (columns), then `v` (rows), in pixels.

    Raises:
        ValueError: the pictures have not four axes, or their shapes differ.
    """
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    average = F.pad((first + second) / 2, (1, 1, 1, 1), mode="reflect")  # (B, C, H + 2, W + 2)
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
