"""Clips to readings: the background first, then the camera, then each object in the world that the camera shows."""

from dataclasses import dataclass

import numpy as np
import torch

from common.data.sprites.attributes import FPS, SIZES, ObjectWords, SceneWords
from common.data.sprites.backgrounds import coverage
from common.data.sprites.paths import view
from common.data.sprites.shapes import signed_distance
from common.evaluation.sprite_reader.camera import Camera, read_camera, read_texture
from common.evaluation.sprite_reader.motion import read_motion
from common.evaluation.sprite_reader.palette import EXPLAINED, NAMES, OFF, Unmixing, background_number, smooth
from common.evaluation.sprite_reader.shape import read_shape
from common.evaluation.sprite_reader.tracks import (
    centroids,
    core_of,
    from_centroid,
    full_cover,
    is_inside,
    median_places,
    on_border,
    refine,
    seen_part,
    spread_out,
)

LARGE = float(np.sqrt(SIZES["small"][1] * SIZES["large"][0]))  # heights: the radius between small and large
SIZE_RANGE = (0.08, 0.26)  # radii that have a name at all
MOST_ROWS = 96  # larger pictures are averaged down
MOST_NOISE = 35.0  # grey levels by which the median pixel may differ from its surroundings
SURELY_INSIDE = 0.4  # part of the frames in which the world shows an object wholly inside, and more
HALF_SEEN = 0.35  # part of an object that must be seen for its place to be believed


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


@dataclass(frozen=True)
class SceneReading:
    """A clip as read. A word is None where it cannot be told.

    Attributes:
        objects: none, one or two; where they overlap, the one behind first.
        background, background_color, camera: words of the world.
        order_known: whether the objects overlap somewhere, so that their order means something.
        camera_middle, camera_zoom: `(T,)`, as in `SpriteTruth`; those of a still camera where it has no word.
    """

    objects: tuple[ObjectReading, ...]
    background: str | None
    background_color: str | None
    camera: str | None
    order_known: bool
    camera_middle: np.ndarray
    camera_zoom: np.ndarray

    @property
    def words(self) -> SceneWords | None:
        """All that a caption would say, or None if a word is missing."""
        objects = [ObjectWords(item.shape, item.color, item.size, item.motion) for item in self.objects]
        parts = [self.background, self.background_color, self.camera]
        if not objects or None in parts or any(None in vars(item).values() for item in objects):
            return None
        return SceneWords(tuple(objects), *parts)


def read_sprites(clips: torch.Tensor, fps: float = FPS) -> list[SceneReading]:
    """What each clip shows. Whatever the pixels are, it answers; what it cannot tell is None.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1].
        fps: frames per second.

    Raises:
        ValueError: the shape is another one.
    """
    if clips.ndim != 5 or clips.shape[1] != 3 or 0 in clips.shape[2:]:
        raise ValueError(f"clips are (B, 3, T, H, W), got {tuple(clips.shape)}")
    return [_read(clip, fps) for clip in clips.detach()]


def _read(clip: torch.Tensor, fps: float) -> SceneReading:
    shrink = -(-clip.shape[-2] // MOST_ROWS)
    clip = clip.to("cpu", torch.float32)
    if shrink > 1 and min(clip.shape[-2:]) >= shrink:
        clip = torch.nn.functional.avg_pool3d(clip, (1, shrink, shrink))
    pixels = np.nan_to_num(clip.numpy(), nan=1e4, posinf=1e4, neginf=-1e4)
    broken = np.abs(pixels).max(axis=(0, 2, 3)) > 100  # frames that are no pictures
    sharp = np.clip((pixels + 1) * 127.5, 0, 255)  # (3, T, H, W)
    pixels = smooth(sharp)
    noise = np.median(np.abs(pixels - sharp)[..., ::2, ::2])
    number = None if noise > MOST_NOISE or broken.mean() > 0.5 else background_number(pixels)
    unmixing = None if number is None else Unmixing(number, pixels)
    colors = unmixing.object_numbers(pixels) if unmixing else []
    if unmixing is None or unmixing.off > OFF or unmixing.explained(pixels, colors) < EXPLAINED:
        return SceneReading((), None, None, None, False, *view("still", 0.0, np.arange(clip.shape[1]) / fps))
    cover, cores = _separate(unmixing, pixels, colors)
    free = ~spread_out(cores.any(axis=0), 3) if colors else np.ones(cover.shape[1:], dtype=bool)
    light = smooth(unmixing.light(pixels))
    texture = read_texture(light, free)
    if texture is None or texture == "field":  # no motion of the camera could be seen; the world has none here
        camera = Camera(texture and "still", *view("still", 0.0, np.arange(clip.shape[1]) / fps))
    else:
        camera = read_camera(smooth(light), free, fps)
    objects = _read_objects(cover, cores, colors, camera, fps)
    objects, order_known = _from_back_to_front(objects, cover)
    objects = tuple(_enlarged(item, shrink) for item in objects)
    return SceneReading(objects, texture, NAMES[number], camera.word, order_known, camera.middle, camera.zoom)


def _separate(unmixing: Unmixing, pixels: np.ndarray, colors: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """What each object covers of each pixel, 0 where another one is; and which pixels make it, `(K, T, H, W)` each."""
    if not colors:
        nothing = np.zeros((0, *pixels.shape[1:]), dtype=np.float32)
        return nothing, nothing > 0
    cover, owner = unmixing.cover(pixels, colors)
    cores = np.stack([core_of(part, owner == k) for k, part in enumerate(cover)])
    if len(colors) == 2:
        cover = np.where(cores[::-1] & ~cores, 0, cover)
    fulls = [full_cover(part, core) for part, core in zip(cover, cores)]
    return cover / np.array(fulls, dtype=np.float32)[:, None, None, None], cores


def _read_objects(cover, cores, colors: list[int], camera: Camera, fps: float) -> list[ObjectReading]:
    meet = np.zeros(cover.shape[1], dtype=bool)
    if len(colors) == 2:
        meet = (spread_out(cores[0]) & cores[1]).any(axis=(1, 2))
    objects = []
    for k, color in enumerate(colors):
        others = spread_out(cores[1 - k]) if len(colors) == 2 else np.zeros_like(cores[k])
        objects.append(_read_object(cover[k], spread_out(cores[k], 2), others, meet, NAMES[color], camera, fps))
    return objects


def _read_object(cover, support, others, meet, color: str, camera: Camera, fps: float) -> ObjectReading:
    """One object from its cover and support, where others may hide it, and in which frames they meet."""
    height, width = cover.shape[1:]
    inside = np.where(support, cover, 0)
    track = centroids(inside)
    exists = np.isfinite(track).all(axis=1)
    for apart in (exists & ~meet, exists):  # objects that just touch do not hide each other
        clear = apart & _off_the_border(inside, apart)
        shape = read_shape(inside[clear], *track[clear].T)
        if shape:
            break
    track = np.stack([median_places(values) for values in track.T], axis=1)
    if shape is None:
        size = _size(track[:, 2] / camera.zoom / height, apart)
        positions = np.where(exists[:, None], track[:, :2], np.nan)
        return ObjectReading(None, color, size, None, positions, track[:, 2], exists.astype(float))
    track = np.stack(from_centroid(shape, *track.T), axis=1)
    whole = clear | (apart & is_inside(shape, track, height, width))
    centroid = track
    motion, track, growth = _follow(track, whole.astype(float), camera, height, width, fps)
    partly = exists & ~whole
    if partly.any():
        weight = 1.0 - others[partly].astype(np.float32)
        seen_at = np.concatenate([centroid[partly, :2], track[partly, 2:]], axis=1)
        fits = [refine(shape, inside[partly], weight, start) for start in (track[partly], seen_at)]
        first_better = (fits[0][1] <= fits[1][1])[:, None]
        track[partly] = np.where(first_better, fits[0][0], fits[1][0])
    seen = np.where(exists, seen_part(shape, inside, track), 0)
    weights = np.where(whole, 1.0, np.where(seen > HALF_SEEN, seen, 0) * 0.5)
    motion, _, growth = _follow(track, weights, camera, height, width, fps)
    size = _size(track[:, 2] / camera.zoom / height / growth, weights > 0)
    return ObjectReading(shape, color, size, motion, np.where(seen[:, None] > 0.05, track[:, :2], np.nan),
                         track[:, 2], seen)  # fmt: skip


def _off_the_border(inside: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The frames in which an object covers least of the border, of those in which it is apart: bool `(T,)`."""
    touched = on_border(inside)
    return touched <= (np.quantile(touched[apart], SURELY_INSIDE) if apart.any() else 0)


def _follow(track: np.ndarray, weights: np.ndarray, camera: Camera, height: int, width: int, fps: float):
    """The motion of a track `(T, 3)`; and the track, where its weight is 0 put to where that motion takes it."""
    x, y = camera.to_world(track[:, 0] / height, track[:, 1] / height, width / height)
    radius = track[:, 2] / camera.zoom
    known = weights > 0
    if known.sum() < 2:
        return None, track, np.ones(len(track))
    first = np.median(radius[known][:3])
    motion, places, growth = read_motion(np.stack([x, y], axis=1), radius / max(first, 1e-3), weights, fps)
    base = np.median(radius[known] / np.maximum(growth[known], 0.1))
    back = np.stack(
        [
            ((places[:, 0] - camera.middle) * camera.zoom + width / height / 2) * height,
            ((places[:, 1] - 0.5) * camera.zoom + 0.5) * height,
            base * growth * camera.zoom,
        ],
        axis=1,
    )
    return motion, np.where(known[:, None], track, back), growth / growth[0]


def _size(radius: np.ndarray, whole: np.ndarray) -> str | None:
    """The word for the radius in the first frame, heights, from what each frame says it was."""
    if not whole.any():
        return None
    radius = float(np.median(radius[whole]))
    if not SIZE_RANGE[0] < radius < SIZE_RANGE[1]:
        return None
    return "small" if radius < LARGE else "large"


def _from_back_to_front(objects: list[ObjectReading], cover: np.ndarray):
    """The objects in order, and whether it can be told: who is seen where both of them are."""
    if len(objects) < 2 or None in (objects[0].shape, objects[1].shape):
        return objects, False
    _, height, width = cover[0].shape
    columns, rows = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    both = np.ones(cover[0].shape, dtype=bool)
    for item in objects:
        x, y = np.nan_to_num(item.positions, nan=-1e3).T[..., None, None]
        distance = signed_distance(item.shape, columns - x, rows - y, item.radius[:, None, None])
        both &= coverage(distance + 1) > 0.5
    if both.sum() < 4:
        return objects, False
    first, second = (np.clip(part[both], 0, 1).sum() for part in cover)
    return (objects if first < second else objects[::-1]), True


def _enlarged(item: ObjectReading, factor: int) -> ObjectReading:
    if factor == 1:
        return item
    return ObjectReading(item.shape, item.color, item.size, item.motion, item.positions * factor,
                         item.radius * factor, item.seen)  # fmt: skip
