"""Clips to readings: the background first, then the camera, then each object in the world that the camera shows."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from common.data.sprites.attributes import FPS, SceneWords
from common.data.sprites.backgrounds import coverage
from common.data.sprites.paths import view
from common.data.sprites.shapes import signed_distance
from common.evaluation.sprite_reader.camera import Camera, read_camera, read_texture
from common.evaluation.sprite_reader.objects import ObjectPixels, ObjectReading, read_object
from common.evaluation.sprite_reader.palette import EXPLAINED, NAMES, OFF, Unmixing, background_number, smooth
from common.evaluation.sprite_reader.tracks import core_of, full_cover, spread_out

FEWEST_ROWS, MOST_ROWS = 8, 96  # smaller pictures show nothing; larger pictures are averaged down
MOST_NOISE = 35.0  # grey levels by which the median pixel may differ from its surroundings


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
        if not self.objects or self.background is None or self.background_color is None or self.camera is None:
            return None
        objects = [item.words for item in self.objects]
        known = tuple(words for words in objects if words is not None)
        if len(known) < len(objects):
            return None
        return SceneWords(known, self.background, self.background_color, self.camera)


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
    is_picture = min(pixels.shape[2:]) >= FEWEST_ROWS and noise <= MOST_NOISE and broken.mean() <= 0.5
    number = background_number(pixels) if is_picture else None
    unmixing = None if number is None else Unmixing(number, pixels)
    colors = unmixing.object_numbers(pixels) if unmixing else []
    if number is None or unmixing is None or unmixing.off > OFF or unmixing.explained(pixels, colors) < EXPLAINED:
        return SceneReading((), None, None, None, False, *view("still", 0.0, np.arange(clip.shape[1]) / fps))
    cover, cores = _separate(unmixing, pixels, colors)
    free = ~spread_out(np.asarray(cores.any(axis=0)), 3) if colors else np.ones(cover.shape[1:], dtype=bool)
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
        pixels = ObjectPixels(np.where(spread_out(cores[k], 2), cover[k], 0), others, meet)
        objects.append(read_object(pixels, NAMES[color], camera, fps))
    return objects


def _from_back_to_front(objects: list[ObjectReading], cover: np.ndarray):
    """The objects in order, and whether it can be told: who is seen where both of them are."""
    shapes = [item.shape for item in objects if item.shape is not None]
    if len(shapes) < 2:
        return objects, False
    _, height, width = cover[0].shape
    columns, rows = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    both = np.ones(cover[0].shape, dtype=bool)
    for item, shape in zip(objects, shapes):
        x, y = np.nan_to_num(item.positions, nan=-1e3).T[..., None, None]
        distance = signed_distance(shape, columns - x, rows - y, item.radius[:, None, None])
        both &= coverage(distance + 1) > 0.5
    if both.sum() < 4:
        return objects, False
    first, second = (np.clip(part[both], 0, 1).sum() for part in cover)
    return (objects if first < second else objects[::-1]), True


def _enlarged(item: ObjectReading, factor: int) -> ObjectReading:
    """The reading in pixels of the picture before it was averaged down."""
    return replace(item, positions=item.positions * factor, radius=item.radius * factor)
