"""One object of a clip: from the pixels that it covers to its shape, place, size and motion in the world.

Where it is wholly visible, its centroid says where it is. Elsewhere (behind the other object, half out of the picture)
a drawing of its shape is fitted to what is seen of it, beginning where its motion leads to.
"""

from dataclasses import dataclass

import numpy as np

from common.data.sprites.attributes import SIZES, ObjectWords
from common.evaluation.sprite_reader.camera import Camera
from common.evaluation.sprite_reader.motion import read_motion
from common.evaluation.sprite_reader.shape import read_shape
from common.evaluation.sprite_reader.tracks import (
    centroids,
    from_centroid,
    is_inside,
    median_places,
    on_border,
    refine,
    seen_part,
)

LARGE = float(np.sqrt(SIZES["small"][1] * SIZES["large"][0]))  # heights: the radius between small and large
SIZE_RANGE = (0.08, 0.26)  # heights: radii that have a name at all
SURELY_INSIDE = 0.4  # part of the frames in which the world shows an object wholly inside, and more
HALF_SEEN = 0.35  # part of an object that must be seen for its place to be believed
HALF_WEIGHT = 0.5  # of a fitted place against a centroid, where all of the object is seen
BARELY_SEEN = 0.05  # part of an object below which it has no place
FIRST_FRAMES = 3  # their median radius is the radius at the beginning
FEWEST_GROWTH = 0.1  # a smaller growth is no growth that was measured


@dataclass(frozen=True)
class ObjectReading:
    """One object as read. A word is None where it cannot be told.

    Attributes:
        shape, color, size, motion: words of the world.
        positions: `(T, 2)`, pixels, as in `SpriteTruth`; NaN where it was not seen.
        radius: `(T,)`, pixels.
        seen: `(T,)`, in [0, 1]: the part of it that each frame shows.
    """

    shape: str | None
    color: str | None
    size: str | None
    motion: str | None
    positions: np.ndarray
    radius: np.ndarray
    seen: np.ndarray

    @property
    def words(self) -> ObjectWords | None:
        """What a caption would say of it, or None if a word is missing."""
        if self.shape is None or self.color is None or self.size is None or self.motion is None:
            return None
        return ObjectWords(self.shape, self.color, self.size, self.motion)


@dataclass(frozen=True)
class ObjectPixels:
    """What the pixels say of one object.

    Attributes:
        cover: `(T, H, W)`, in [0, 1]: how much of each pixel it covers, 0 away from it.
        hidden: `(T, H, W)`, bool: where another object may hide it.
        meets: `(T,)`, bool: the frames in which it touches another object.
    """

    cover: np.ndarray
    hidden: np.ndarray
    meets: np.ndarray


def read_object(pixels: ObjectPixels, color: str, camera: Camera, fps: float) -> ObjectReading:
    """Read one object.

    Args:
        pixels: what is seen of it.
        color: the word for its colour.
        camera: of the clip; the motion is the one in the world.
        fps: frames per second.
    """
    height, width = pixels.cover.shape[1:]
    centers = centroids(pixels.cover)  # (T, 3): x, y and radius, pixels
    exists = np.asarray(np.isfinite(centers).all(axis=1))
    shape, clear, apart = _read_shape(pixels, centers, exists)
    centers = np.stack([median_places(values) for values in centers.T], axis=1)
    if shape is None:
        size = _size_word(centers[:, 2] / camera.zoom / height, apart)
        places = np.where(exists[:, None], centers[:, :2], np.nan)
        return ObjectReading(None, color, size, None, places, centers[:, 2], exists.astype(float))

    centers = np.stack(from_centroid(shape, *centers.T), axis=1)
    whole = clear | (apart & is_inside(shape, centers, height, width))
    _, track, _ = _follow(centers, whole.astype(float), camera, (height, width), fps)
    partly = exists & ~whole
    if partly.any():
        track[partly] = _fit(shape, pixels, centers, track, partly)
    seen = np.where(exists, seen_part(shape, pixels.cover, track), 0)
    weights = np.where(whole, 1.0, np.where(seen > HALF_SEEN, seen, 0) * HALF_WEIGHT)
    motion, _, growth = _follow(track, weights, camera, (height, width), fps)
    size = _size_word(track[:, 2] / camera.zoom / height / growth, weights > 0)
    places = np.where(seen[:, None] > BARELY_SEEN, track[:, :2], np.nan)
    return ObjectReading(shape, color, size, motion, places, track[:, 2], seen)


def _read_shape(pixels: ObjectPixels, centers: np.ndarray, exists: np.ndarray):
    """The word for the shape, or None; the frames `(T,)` it was read in; and those in which the object is apart.

    At first frames in which objects touch are left out. Where nothing is read without them they count too: objects that
    only touch do not hide each other.
    """
    for apart in (exists & ~pixels.meets, exists):
        clear = apart & _off_the_border(pixels.cover, apart)
        if shape := read_shape(pixels.cover[clear], *centers[clear].T):
            return shape, clear, apart
    return None, clear, apart


def _off_the_border(cover: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The frames in which an object covers least of the border, of those in which it is apart: bool `(T,)`."""
    touched = on_border(cover)
    return touched <= (np.quantile(touched[apart], SURELY_INSIDE) if apart.any() else 0)


def _fit(shape: str, pixels: ObjectPixels, centers: np.ndarray, track: np.ndarray, partly: np.ndarray) -> np.ndarray:
    """Place and radius in the frames that show a part of the object, `(N, 3)`.

    A drawing of the shape is fitted twice, from where the motion leads and from the centroid of what is seen, with the
    radius that the motion says; of each frame the better fit is taken.
    """
    weight = 1.0 - pixels.hidden[partly].astype(np.float32)
    seen_at = np.concatenate([centers[partly, :2], track[partly, 2:]], axis=1)
    (led, led_error), (found, found_error) = (
        refine(shape, pixels.cover[partly], weight, start) for start in (track[partly], seen_at)
    )
    return np.where((led_error <= found_error)[:, None], led, found)


def _follow(track: np.ndarray, weights: np.ndarray, camera: Camera, size: tuple[int, int], fps: float):
    """The motion of a track in the world.

    Args:
        track: `(T, 3)`, x, y and radius, pixels.
        weights: `(T,)`, how much each frame is believed.
        camera: of the clip.
        size: height and width of the picture, pixels.
        fps: frames per second.

    Returns:
        The word for the motion, or None; the track, where its weight is 0 put to where that motion takes it; and the
        radius over that of the first frame, `(T,)`.
    """
    height, width = size
    known = weights > 0
    if known.sum() < 2:
        return None, track, np.ones(len(track))
    x, y = camera.to_world(track[:, 0] / height, track[:, 1] / height, width / height)
    radius = track[:, 2] / camera.zoom
    first = np.median(radius[known][:FIRST_FRAMES])
    motion, places, growth = read_motion(np.stack([x, y], axis=1), radius / max(first, 1e-3), weights, fps)
    base = np.median(radius[known] / np.maximum(growth[known], FEWEST_GROWTH))
    led = np.stack(
        [
            ((places[:, 0] - camera.middle) * camera.zoom + width / height / 2) * height,
            ((places[:, 1] - 0.5) * camera.zoom + 0.5) * height,
            base * growth * camera.zoom,
        ],
        axis=1,
    )
    return motion, np.where(known[:, None], track, led), growth / growth[0]


def _size_word(radius: np.ndarray, believed: np.ndarray) -> str | None:
    """The word for the radius in the first frame, heights, from what each frame that is believed says it was."""
    if not believed.any():
        return None
    middle = float(np.median(radius[believed]))
    if not SIZE_RANGE[0] < middle < SIZE_RANGE[1]:
        return None
    return "small" if middle < LARGE else "large"
