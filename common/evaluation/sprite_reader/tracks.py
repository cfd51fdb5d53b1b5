"""Where an object is in every frame: by its centroid where all of it is seen, by its outline where only a part is."""

import numpy as np

from common.data.sprites.backgrounds import coverage
from common.data.sprites.shapes import EXTENTS, signed_distance
from common.evaluation.sprite_reader.shape import measures

CORE = 0.3  # cover of a pixel, mixed with its neighbours, that makes it part of an object
EDGE = 2.2  # pixels over which the cover of such a picture falls from 1 to 0
FULL = 0.6  # part of an object's usual cover that its inner pixels have
PALE = (0.6, 1.25)  # cover of an object that is all there: with paler and with stronger colours
FEWEST = 2.0  # pixels, of all there is of an object
AWAY = 2.2  # radii from the middle, beyond which nothing belongs to an object
SPARE = 0.75  # pixels between a box and the border: nearer, the object may be cut off
STIFF = (0.5, 0.5, 60.0)  # how firmly x, y and the radius stay where a fit begins; an outline's weight is about 40


def spread_out(mask: np.ndarray, pixels: int = 1) -> np.ndarray:
    """A bool mask `(..., H, W)` and all pixels next to it, so many times."""
    mask = mask.copy()
    for _ in range(pixels):
        mask[..., 1:, :] |= mask[..., :-1, :].copy()
        mask[..., :-1, :] |= mask[..., 1:, :].copy()
        mask[..., :, 1:] |= mask[..., :, :-1].copy()
        mask[..., :, :-1] |= mask[..., :, 1:].copy()
    return mask


def core_of(cover: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The pixels of an object, bool `(T, H, W)`: those it covers well and their neighbours, no speck far away.

    Args:
        cover: `(T, H, W)`, of smoothed frames.
        own: bool `(T, H, W)`: where the colour is nearer to this object's than to another one's.
    """
    core = own & (cover > CORE)
    if not core.any():
        return core
    # An edge between two other colours may look like this one, but it is never full.
    core &= spread_out(core & (cover > FULL * np.percentile(cover[core], 90)), 2)
    _, height, width = cover.shape
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    for _ in range(2):
        radius = np.sqrt(np.maximum(core.sum(axis=(1, 2)), 1) / np.pi)
        x, y = (_median(core.sum(axis=axis), places) for axis, places in ((1, columns), (2, rows)))
        away = np.square(columns - x[:, None])[:, None, :] + np.square(rows - y[:, None])[:, :, None]
        core = core & (away < np.square(AWAY * radius + 1)[:, None, None])
    return core


def full_cover(cover: np.ndarray, core: np.ndarray) -> float:
    """The cover of pixels well inside an object: 1, or another number where colours are paler or stronger."""
    inner = ~spread_out(~core, 2)
    return float(np.clip(np.median(cover[inner]), *PALE)) if inner.sum() > 2 * len(core) else 1.0


def centroids(inside: np.ndarray) -> np.ndarray:
    """Centroid and radius of a circle of the same area, `(T, 3)`, pixels; NaN where nothing is. For `(T, H, W)`."""
    _, height, width = inside.shape
    area = inside.sum(axis=(1, 2))
    area = np.where(area > FEWEST, area, np.nan)
    x = inside.sum(axis=1) @ (np.arange(width) + 0.5) / area
    y = inside.sum(axis=2) @ (np.arange(height) + 0.5) / area
    return np.stack([x, y, np.sqrt(area / np.pi)], axis=1)


def on_border(inside: np.ndarray) -> np.ndarray:
    """How many pixels of a side of the picture an object covers, `(T,)`; of the side where it covers most."""
    inside = np.clip(inside, 0, 1)
    sides = [inside[:, 0], inside[:, -1], inside[:, :, 0], inside[:, :, -1]]
    return np.max([side.sum(axis=1) for side in sides], axis=0)


def is_inside(shape: str, track: np.ndarray, height: int, width: int) -> np.ndarray:
    """Whether the box around an object keeps off the border, bool `(T,)`; for middles and radii `(T, 3)`, pixels.

    Of an object that is cut off, centroid and area of what is left make a box that ends at the border or beyond.
    """
    across, down = EXTENTS[shape]
    x, y, radius = track.T
    spare = np.min([x - across * radius, width - x - across * radius, y - down * radius, height - y - down * radius], 0)
    return spare > SPARE


def from_centroid(shape: str, x, y, radius):
    """Middle and radius of a shape, from its centroid and the radius of a circle of its area."""
    area, below = measures()[shape]
    radius = radius * np.sqrt(np.pi / area)
    return x, y - below * radius, radius


def refine(shape: str, cover: np.ndarray, weight: np.ndarray, start: np.ndarray, rounds: int = 5):
    """Places and radii that fit what is seen of an outline best: Gauss and Newton, all frames side by side.

    Args:
        shape: of the object.
        cover: `(N, H, W)`.
        weight: `(N, H, W)`: 0 where something else may hide the object.
        start: `(N, 3)`: x, y and radius to begin with, pixels.

    Returns:
        `(N, 3)`, and the mean square error that is left in each frame, `(N,)`.
    """
    _, height, width = cover.shape
    columns, rows = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5

    def drawn(track):
        x, y, radius = np.moveaxis(track, -1, 0)[..., None, None]
        return coverage(signed_distance(shape, columns - x, rows - y, np.maximum(radius, 1)) / EDGE)

    step, stiff = 0.5, np.diag(STIFF).astype(np.float32)
    start = found = start.astype(np.float32)
    for _ in range(rounds):
        here = drawn(found)
        slopes = np.stack([(drawn(found + step * axis) - here) / step for axis in np.eye(3, dtype=np.float32)], axis=1)
        slopes, error = slopes.reshape(len(found), 3, -1), (cover - here).reshape(len(found), -1)
        weighted = slopes * weight.reshape(len(found), 1, -1)
        normal = weighted @ slopes.swapaxes(1, 2) + stiff
        right = (weighted @ error[:, :, None])[..., 0] + (start - found) @ stiff
        found = found + np.clip(np.linalg.solve(normal, right[..., None])[..., 0], -3, 3)
    return found, (np.square(cover - drawn(found)) * weight).mean(axis=(1, 2))


def seen_part(shape: str, cover: np.ndarray, track: np.ndarray) -> np.ndarray:
    """How much of an object each frame shows, in [0, 1], `(T,)`: its cover over the area it should have."""
    area = measures()[shape][0] * np.square(track[:, 2])
    return np.clip(np.clip(cover, 0, 1).sum(axis=(1, 2)) / np.maximum(area, 1), 0, 1)


def median_places(values: np.ndarray) -> np.ndarray:
    """Values `(T,)` with NaN where unknown -> filled in from the nearest frames before and after."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])


def _median(counts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The place in the middle of each row of counts `(T, N)`: `(T,)`."""
    total = counts.cumsum(axis=1)
    return places[(total >= total[:, -1:] / 2).argmax(axis=1)]
