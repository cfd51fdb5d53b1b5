"""Backgrounds: periodic textures, known at every point of the world."""

from collections.abc import Callable

import numpy as np

from common.data.sprites.attributes import SpriteScene

DOT = 0.29  # radius of a dot, in periods


def coverage(distance) -> np.ndarray:
    """Part of a pixel that lies inside, in [0, 1], from the signed distance of its middle, in pixels."""
    return np.clip(0.5 - distance, 0, 1)


def light_part(scene: SpriteScene, x, y, pixels: np.ndarray | Callable) -> np.ndarray:
    """How much of each pixel has the lighter shade, in [0, 1].

    Args:
        scene: one whose background is a texture.
        x: `(T, 1, W)`, world coordinates of the pixels' middles; or `(T, H, W)`.
        y: `(T, H, 1)`, or `(T, H, W)`.
        pixels: `(T, 1, 1)`, pixels in a height of the world. Where that depends on the direction, as in perspective, a
            function of a direction, rightward and downward, which gives `(T, H, W)`.

    Returns:
        `(T, H, W)`, or of size 1 where nothing changes along an axis.
    """
    x, y = (x - scene.texture_x) / scene.period, (y - scene.texture_y) / scene.period

    def along(right, down):
        """Pixels in a period, along a direction."""
        return (pixels(right, down) if callable(pixels) else pixels) * scene.period

    if scene.background == "stripes":
        angle = np.radians(scene.angle)
        right, down = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return _bands(x * right + y * down, along(right, down))
    if scene.background == "checkerboard":
        across, down = _bands(x, along(1, 0)), _bands(y, along(0, 1))
        return across + (1 - 2 * across) * down  # light where just one of them is
    x, y = x % 1 - 0.5, y % 1 - 0.5
    pixels = along(x, y)  # outward from the dot's middle
    x, y = x * pixels, y * pixels
    return coverage(np.sqrt(x * x + y * y) - DOT * pixels)


def _bands(x, pixels) -> np.ndarray:
    """Light and dark bands of half a period each; the light one in the middle of the period."""
    return coverage((np.abs(x % 1 - 0.5) - 0.25) * pixels)
