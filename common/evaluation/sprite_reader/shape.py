"""The shape of an object, from its pixels in all frames laid over each other at one size and place."""

from functools import lru_cache

import numpy as np

from common.data.sprites.attributes import SHAPES
from common.data.sprites.backgrounds import coverage
from common.data.sprites.shapes import signed_distance

SIDE, REACH = 24, 1.8  # of a standard picture: samples along a side, and from its middle to its edge, in its own radii
BLURS = (0.04, 0.1, 0.16, 0.22, 0.3, 0.4)  # standard deviations, in radii: a sharp large picture to a blurred small one
SCALES = (1.0, 0.88)  # of their radius: a blurred ring's area is overrated where its own blur makes it pale
FINE = 4  # samples of a standard picture along each side of one of its pixels
ALIKE = 0.8  # least correlation with the best shape


@lru_cache(maxsize=1)
def measures() -> dict[str, tuple[float, float]]:
    """Of each shape of radius 1: its area, and how far its centroid lies below the middle of its box."""
    grid = np.linspace(-1.8, 1.8, 901)
    found = {}
    for shape in SHAPES:
        inside = coverage(signed_distance(shape, grid, grid[:, None], 1.0) / (grid[1] - grid[0]))
        found[shape] = float(inside.sum() * (grid[1] - grid[0]) ** 2), float((inside.sum(axis=1) @ grid) / inside.sum())
    return found


@lru_cache(maxsize=1)
def standard_pictures() -> np.ndarray:
    """Each shape with each blur and scale, `(6, 12, 24 * 24)`: centroid in the middle, mean 0 and length 1."""
    count = SIDE * FINE
    step = 2 * REACH / count
    fine = (np.arange(count) + 0.5) * step - REACH
    blurs = []
    for deviation in BLURS:
        weights = np.exp(-np.square((fine[:, None] - fine) / deviation) / 2) * step / (deviation * np.sqrt(2 * np.pi))
        blurs.append(weights.reshape(SIDE, FINE, count).mean(axis=1))  # (24, 96): blurs, and averages four to one
    pictures = []
    for shape in SHAPES:
        area, below = measures()[shape]
        for radius in np.sqrt(np.pi / area) * np.array(SCALES):  # at scale 1 its area is that of a circle of radius 1
            sharp = coverage(signed_distance(shape, fine, fine[:, None] + below * radius, radius) / step)
            pictures += [(blur @ sharp @ blur.T).ravel() for blur in blurs]
    return _normal(np.array(pictures, dtype=np.float32)).reshape(len(SHAPES), len(BLURS) * len(SCALES), -1)


def read_shape(cover: np.ndarray, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> str | None:
    """The shape's word.

    Args:
        cover: `(N, H, W)`, of the frames in which all of it is seen.
        x, y: `(N,)`, its centroid there, pixels, as in `SpriteTruth`.
        radius: `(N,)`, of the circle of its area, pixels.
    """
    if len(cover) == 0:
        return None
    picture = np.median([_resample(*frame) for frame in zip(cover, x, y, radius)], axis=0)
    likeness = (standard_pictures() @ _normal(picture.ravel())).max(axis=1)  # (6,)
    best = int(likeness.argmax())
    return SHAPES[best] if likeness[best] > ALIKE else None


def _resample(picture: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """`(24, 24)` out of `(H, W)`, by bilinear weights; what lies outside is 0."""
    steps = ((np.arange(SIDE) + 0.5) * (2 / SIDE) - 1) * REACH * radius
    rows, columns = (
        np.maximum(0, 1 - np.abs(place + steps[:, None] - 0.5 - np.arange(length))).astype(np.float32)
        for place, length in ((y, picture.shape[0]), (x, picture.shape[1]))
    )
    return rows @ picture @ columns.T


def _normal(pictures: np.ndarray) -> np.ndarray:
    pictures = pictures - pictures.mean(axis=-1, keepdims=True)
    return pictures / np.maximum(np.sqrt(np.square(pictures).sum(axis=-1, keepdims=True)), 1e-9)
