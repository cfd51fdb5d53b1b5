"""The picture between two pictures: matched, warped there from both sides, and fused. The parts of an interpolator.

Time runs from 0, the first picture, to 1, the last; the picture asked for is at `time`, and the one in the middle at
0.5. Flows are those of `common.flow.warping`: `(B, 2, H, W)`, x then y, in pixels.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F

from common.flow.warping import warp

FAINT = 1e-3  # how visible, at least, everything is taken to be: so that something stands where nothing is visible


def warp_to_time(
    first: torch.Tensor, last: torch.Tensor, forward: torch.Tensor, backward: torch.Tensor, time: float = 0.5
) -> tuple[torch.Tensor, torch.Tensor]:
    """Both pictures, brought to a moment between them by backward warping.

    To fetch the picture at `time = t` one needs flows that *start* there, and has two that start at the ends. Where
    neighbouring pixels move alike and evenly, the motion through a pixel at `t` is about that through the same pixel
    at either end, so both are mixed, the nearer end counting more (Super SloMo, arXiv:1712.00080, eq. 4):

        F(t -> 0) = -(1 - t) t F(0 -> 1) + t^2 F(1 -> 0)
        F(t -> 1) = (1 - t)^2 F(0 -> 1) - t (1 - t) F(1 -> 0)

    Then each picture is warped by the flow that leads to it.

    Args:
        first: `(B, C, H, W)`, float32 or float64, in any memory layout: the picture at 0.
        last: the same shape, the picture at 1.
        forward: `(B, 2, H, W)`, F(0 -> 1), the flow from the first picture to the last, in pixels.
        backward: the same shape, F(1 -> 0), from the last to the first.
        time: t, from 0 to 1.

    Returns:
        Two tensors `(B, C, H, W)` in the pictures' dtype: the first picture and the last one, both as they would look
        at `time`. Gradients reach both pictures and both flows.

    Raises:
        ValueError: `time` is not from 0 to 1, or the pictures differ in shape; what does not fit `warp`, it refuses.
    """
    _check_time(time)
    _check_pair(first, last)
    to_first = -(1 - time) * time * forward + time**2 * backward  # (B, 2, H, W)
    to_last = (1 - time) ** 2 * forward - time * (1 - time) * backward  # (B, 2, H, W)
    return warp(first, to_first), warp(last, to_last)


def fuse(
    warped_first: torch.Tensor,
    warped_last: torch.Tensor,
    visible_first: torch.Tensor,
    visible_last: torch.Tensor,
    time: float = 0.5,
) -> torch.Tensor:
    """One picture out of two: of each pixel, what is visible, the nearer moment counting more.

    What is hidden in one of the pictures must come from the other alone (Super SloMo, arXiv:1712.00080, eq. 5):

        w0 = (1 - t) (V0 + FAINT),   w1 = t (V1 + FAINT)
        fused = (w0 * warped_first + w1 * warped_last) / (w0 + w1)

    Where both see a pixel equally well, or neither does, this is the mean by time, `(1 - t)` and `t`.

    Args:
        warped_first: `(B, C, H, W)`, float of any precision, on any device, in any memory layout: the first picture,
            warped to `time`.
        warped_last: the same shape, the last one.
        visible_first: V0, `(B, 1, H, W)`, from 0 (hidden in the first picture) to 1 (seen there); bool, or float of
            any precision.
        visible_last: V1, the same shape, for the last picture.
        time: t, from 0 to 1.

    Returns:
        `(B, C, H, W)`, in the pictures' dtype, not clamped. Gradients reach both pictures and both masks.

    Raises:
        ValueError: `time` is not from 0 to 1, the pictures differ in shape, or a mask is not `(B, 1, H, W)`.
    """
    _check_time(time)
    _check_pair(warped_first, warped_last)
    wanted = (len(warped_first), 1, *warped_first.shape[-2:])
    for visible in (visible_first, visible_last):
        if visible.shape != wanted:
            raise ValueError(f"visibility is {wanted} for these pictures, got {tuple(visible.shape)}")
    weight_first = (1 - time) * (visible_first.to(warped_first.dtype) + FAINT)  # (B, 1, H, W)
    weight_last = time * (visible_last.to(warped_last.dtype) + FAINT)  # (B, 1, H, W)
    fused = weight_first * warped_first + weight_last * warped_last
    return fused / (weight_first + weight_last)  # (B, C, H, W)


def matching_cost(first: torch.Tensor, last: torch.Tensor, radius: int) -> torch.Tensor:
    """How badly two pictures match at each pixel of the moment midway, for every small motion through it.

    If something moves evenly and is at `(x, y)` midway, it was at `(x - dx, y - dy)` before and is at
    `(x + dx, y + dy)` after. So for every `(dx, dy)` the two are compared there (BMBC's bilateral cost volume,
    arXiv:2007.12622, with the mean absolute difference):

        cost(dx, dy)[y, x] = mean over channels of | first[y - dy, x - dx] - last[y + dy, x + dx] |

    Places outside a picture take the nearest pixel of its border.

    Args:
        first: `(B, C, H, W)`, pictures or features, float32 or float64, on any device, in any memory layout.
        last: the same shape.
        radius: dx and dy run from -radius to radius, at least 0.

    Returns:
        `(B, (2 radius + 1)^2, H, W)`, dy slow and dx fast: channel `(dy + radius) * (2 radius + 1) + dx + radius`.
        The one in the middle is no motion at all. In the pictures' dtype; gradients reach both pictures.

    Raises:
        ValueError: the shapes differ or have not four axes, or `radius` is below 0.
    """
    _check_pair(first, last)
    if radius < 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    height, width = first.shape[-2:]
    padding = (radius, radius, radius, radius)
    before, after = (F.pad(picture, padding, mode="replicate") for picture in (first, last))
    steps = range(-radius, radius + 1)
    costs = []
    for dy in steps:
        for dx in steps:
            top, left = radius - dy, radius - dx
            there = before[..., top : top + height, left : left + width]  # (B, C, H, W), first[y - dy, x - dx]
            top, left = radius + dy, radius + dx
            here = after[..., top : top + height, left : left + width]  # (B, C, H, W), last[y + dy, x + dx]
            costs.append((there - here).abs().mean(dim=1))
    return torch.stack(costs, dim=1)  # (B, (2 radius + 1)^2, H, W)


def expected_motion(cost: torch.Tensor, sharpness: torch.Tensor | float) -> torch.Tensor:
    """The mean of all small motions, those that match well weighing most: where the way leads midway.

    The weights are a softmax of `-sharpness * cost` after each cost was averaged over 3×3 pixels, because neighbours
    mostly move together (the soft argmin of GC-Net, arXiv:1703.04309). Where nothing can be told, as on a plain wall,
    all motions weigh the same, and their mean is no motion.

    Args:
        cost: `(B, (2 radius + 1)^2, H, W)`, as `matching_cost` gives it.
        sharpness: above 0; the larger, the more the best match alone counts.

    Returns:
        `(B, 2, H, W)`, x then y, in pixels: from midway to the last picture, and the other way to the first.
    """
    side = math.isqrt(cost.shape[1])
    steps = torch.arange(side, dtype=cost.dtype, device=cost.device) - side // 2
    motions = torch.stack([steps.repeat(side), steps.repeat_interleave(side)])  # (2, side^2), dy slow, dx fast
    shared = F.avg_pool2d(cost, 3, stride=1, padding=1, count_include_pad=False)
    weights = (-sharpness * shared).softmax(dim=1)  # (B, side^2, H, W)
    return torch.einsum("bnhw,cn->bchw", weights, motions)


def fill_in(
    between: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    first: torch.Tensor,
    last: torch.Tensor,
    num_halvings: int,
) -> torch.Tensor:
    """A clip between two pictures, by a method that knows the middle alone: the middle, then the middles of the halves.

    Args:
        between: two pictures `(B, C, H, W)` to the one midway.
        first: `(B, C, H, W)`.
        last: the same shape.
        num_halvings: how often every gap is halved; 0 for the two pictures alone.

    Returns:
        `(B, C, 2^num_halvings + 1, H, W)`, first and last picture included.
    """
    frames = [first, last]
    for _ in range(num_halvings):
        middles = [between(a, b) for a, b in pairwise(frames)]
        frames = [frame for pair in zip(frames, middles) for frame in pair] + [last]
    return torch.stack(frames, dim=2)


def _check_time(time: float) -> None:
    if not 0 <= time <= 1:
        raise ValueError(f"time must be from 0 to 1, got {time}")


def _check_pair(first: torch.Tensor, last: torch.Tensor) -> None:
    if first.ndim != 4 or first.shape != last.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(last.shape)}")
