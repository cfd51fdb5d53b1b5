"""Optical flow as colour: the direction is the hue, the length is the saturation.

The wheel is that of Baker et al., A database and evaluation methodology for optical flow (IJCV 2011), in which nearly
all papers draw flow: six pure colours around a circle, with more room between those that the eye tells apart well.
"""

import math

import numpy as np
import torch

_STEPS = (15, 6, 4, 11, 13, 6)  # steps from red to yellow, green, cyan, blue, magenta, and back to red
# Degrees on screen: 0 points right, 90 down, 180 left, 270 up.
WHEEL_DEGREES = tuple(360 * sum(_STEPS[:k]) / sum(_STEPS) for k in range(len(_STEPS) + 1))
WHEEL_COLORS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))  # RGB at WHEEL_DEGREES


def flow_to_color(flow: torch.Tensor, *, max_flow: float | None = None) -> np.ndarray:
    """Paint a flow: hue for the direction, saturation for the length.

    The direction is an angle in degrees, clockwise on screen because y points down: 0 for a motion to the right, 90
    down, 180 left, 270 up. The hue of an angle lies on the wheel: the RGB colours `WHEEL_COLORS` at the angles
    `WHEEL_DEGREES`, linear in between. With `s = length / max_flow`, at most 1, the pixel is `(1 - s) * white + s *
    hue`: no motion is white, `max_flow` and anything longer is the pure hue. A motion that is not known (x or y is NaN
    or infinite) is black.

    Args:
        flow: `(2, H, W)` or `(B, 2, H, W)`, x then y, in pixels per frame.
        max_flow: the length drawn in pure colour, above 0; if None, the longest known motion in all of `flow`. Where
            that is 0, all that is known is white.

    Returns:
        uint8 RGB, `(H, W, 3)` or `(B, H, W, 3)`, rounded to the nearest.

    Raises:
        ValueError: `flow` has another number of axes or is not x and y, or `max_flow` is not above 0.
    """
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"a flow is (2, H, W) or (B, 2, H, W); this one has shape {tuple(flow.shape)}")
    if max_flow is not None and not max_flow > 0:
        raise ValueError(f"max_flow must be above 0, got {max_flow}")
    x, y = np.moveaxis(flow.detach().double().cpu().numpy(), -3, 0)  # (H, W) or (B, H, W) each
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x, 0), np.where(known, y, 0)
    length = np.hypot(x, y)
    if max_flow is None:
        max_flow = length.max() or 1.0  # nothing moves: all white
    angle = np.degrees(np.arctan2(y, x)) % 360
    hue = np.stack([np.interp(angle, WHEEL_DEGREES, channel) for channel in zip(*WHEEL_COLORS)], axis=-1)
    saturation = np.minimum(length / max_flow, 1)[..., None]
    color = (1 - saturation) + saturation * hue  # (..., H, W, 3), white is 1
    return (255 * color * known[..., None]).round().astype(np.uint8)


def color_wheel(size: int = 96) -> np.ndarray:
    """The key to the colours: from the middle of this disc to each point, the motion that is drawn in its colour.

    Args:
        size: height and width in pixels.

    Returns:
        uint8 `(size, size, 3)`, white outside the disc.
    """
    middle = (size - 1) / 2
    away = torch.arange(size, dtype=torch.float64) - middle
    y, x = torch.meshgrid(away, away, indexing="ij")
    inside = torch.hypot(x, y) <= middle
    return flow_to_color(torch.stack([x, y]) * inside, max_flow=max(middle, math.ulp(0)))
