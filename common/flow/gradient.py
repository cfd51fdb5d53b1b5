"""Flow from the gradients of brightness: Lucas and Kanade's method, from coarse to fine.

Lucas, Kanade: An iterative image registration technique with an application to stereo vision, IJCAI 1981. The pyramid
is Bouguet's (Pyramidal implementation of the Lucas Kanade feature tracker, Intel 2000), here for every pixel.
"""

import torch
import torch.nn.functional as F

from common.flow.warping import points_inside, warp


def lucas_kanade_step(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    valid: torch.Tensor | None = None,
    window: int = 13,
    damping: float = 1e-3,
) -> torch.Tensor:
    """The small motion that explains best, around each pixel, how the first picture became the second.

    Brightness moves along: `dx * u + dy * v + dt = 0` for the motion `(u, v)`. One equation per pixel and two unknowns,
    so the pixels of a window share their motion, and its squared errors are minimized:

        [<dx dx> + damping   <dx dy>          ] [u]     [<dx dt>]
        [<dx dy>             <dy dy> + damping] [v] = - [<dy dt>]

    `dx` and `dy` are half the difference of a pixel's two neighbours (columns x + 1 and x - 1, rows y + 1 and y - 1) in
    the average of the two pictures, border pixels repeated outside; `dt` is `second - first`. `<...>` is the mean over
    the channels, set to zero where the pixel is not `valid`, then `window_average`. `damping` keeps the motion at zero
    where there is nothing to see.

    Args:
        first: `(B, C, H, W)`, float32 or float64, values in [-1, 1].
        second: the same shape and dtype, a moment later.
        valid: bool `(B, 1, H, W)`, the pixels that have a say in the windows around them; None for all.
        window: side of the window in pixels, odd.
        damping: what is added to the diagonal, above 0, in squared units of brightness.

    Returns:
        `(B, 2, H, W)` in the dtype of the pictures: `u` (columns), then `v` (rows), in pixels.

    Raises:
        ValueError: the pictures have not four axes, or their shapes differ.
    """
    if first.ndim != 4 or first.shape != second.shape:
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


def lucas_kanade(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    num_levels: int = 4,
    num_iterations: int = 4,
    window: int = 13,
    damping: float = 1e-3,
) -> torch.Tensor:
    """The flow from the first picture to the second: small steps, from coarse to fine.

    Both pictures are halved (`halve`) `num_levels - 1` times. From the smallest level to the full size, the flow found
    so far (zero at first) is resized bilinearly (`align_corners=False`), and its vectors grow as the picture does: `u`
    by the ratio of the widths, `v` by the ratio of the heights. Then it is corrected `num_iterations` times: the second
    picture is warped back by the flow, and one `lucas_kanade_step` from the first picture to the warped one is added to
    the flow. Where the flow points out of the picture nothing can be compared: only `points_inside(flow)` is valid in
    that step.

    Args:
        first: `(B, C, H, W)`, float32 or float64, values in [-1, 1]: frame t.
        second: the same shape and dtype: frame t + 1.
        num_levels: sizes at which to look, at least 1 (the full size alone).
        num_iterations: steps at each level, at least 1.
        window: side of the window of a step, in the pixels of each level, odd.
        damping: of a step.

    Returns:
        `(B, 2, H, W)` in the dtype of the pictures: the forward flow, x then y, in pixels per frame.

    Raises:
        ValueError: the pictures have not four axes, their shapes differ, or a count is below 1.
    """
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    if num_levels < 1 or num_iterations < 1:
        raise ValueError(f"at least 1 level and 1 iteration: got {num_levels} and {num_iterations}")
    levels = [(first, second)]
    for _ in range(num_levels - 1):
        levels.append((halve(levels[-1][0]), halve(levels[-1][1])))
    flow = first.new_zeros(len(first), 2, *levels[-1][0].shape[-2:])
    for small_first, small_second in reversed(levels):
        height, width = small_first.shape[-2:]
        longer = flow.new_tensor([width / flow.shape[-1], height / flow.shape[-2]])
        flow = F.interpolate(flow, size=(height, width), mode="bilinear") * longer[:, None, None]  # (B, 2, h, w)
        for _ in range(num_iterations):
            warped, valid = warp(small_second, flow), points_inside(flow)
            flow = flow + lucas_kanade_step(small_first, warped, valid=valid, window=window, damping=damping)
    return flow


def window_average(maps: torch.Tensor, window: int) -> torch.Tensor:
    """Average each channel over a window around each pixel, the middle weighing most.

    The weights are a Gaussian's, with a standard deviation of a quarter of the window; border pixels are repeated
    outside. (A window of equal weights lets some patterns through upside down, and steps that are repeated grow.)

    Args:
        maps: `(B, C, H, W)`.
        window: side in pixels, odd.

    Raises:
        ValueError: `window` is even or below 1.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number of pixels, got {window}")
    radius = window // 2
    distance = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    weights = torch.exp(-8 * (distance / window) ** 2)  # (window,)
    weights = (weights / weights.sum()).expand(maps.shape[1], 1, 1, window)
    padded = F.pad(maps, (radius, radius, radius, radius), mode="replicate")
    along_rows = F.conv2d(padded, weights, groups=maps.shape[1])
    return F.conv2d(along_rows, weights.mT, groups=maps.shape[1])  # (B, C, H, W)


def halve(image: torch.Tensor) -> torch.Tensor:
    """A picture `(B, C, H, W)` at half its height and width (rounded up), smoothed before it is thinned out."""
    height, width = image.shape[-2:]
    return F.interpolate(image, size=(-(-height // 2), -(-width // 2)), mode="bilinear", antialias=True)
