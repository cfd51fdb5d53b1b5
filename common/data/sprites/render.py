"""From scenes to pixels. Each pixel is coloured by the part of it that a thing covers, so that edges are smooth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from common.data.sprites.attributes import COLORS, FPS, NUM_FRAMES, SIZE, SpriteObject, SpriteScene, shades
from common.data.sprites.backgrounds import coverage, light_part
from common.data.sprites.captions import caption
from common.data.sprites.paths import frame_times, picture_path, view
from common.data.sprites.shapes import EXTENTS, signed_distance
from common.tensor_ops import from_uint8


@dataclass(frozen=True)
class SpriteBatch:
    """Rendered clips.

    Attributes:
        pixels: uint8 `(B, 3, T, H, W)`.
        scenes: what they show.
        captions: what they show, in words that the scene's index chooses.
        fps: frames per second.
    """

    pixels: torch.Tensor
    scenes: tuple[SpriteScene, ...]
    captions: tuple[str, ...]
    fps: float = FPS

    def __len__(self) -> int:
        return len(self.scenes)

    def clips(self, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """The pixels as clips `(B, 3, T, H, W)` in [-1, 1]."""
        return from_uint8(self.pixels, dtype)


def render(
    scenes: Sequence[SpriteScene], num_frames: int = NUM_FRAMES, size: int = SIZE, width: int | None = None
) -> SpriteBatch:
    """Draw scenes: a clip of `num_frames` pictures, `size` pixels high, for each.

    Lengths of the world are heights of the picture. So a wider picture shows more of the world, left and right.

    Args:
        scenes: at least one.
        num_frames: T.
        size: the height, in pixels.
        width: in pixels; None for a square.

    Raises:
        ValueError: there is no scene, or a number is below 1.
    """
    width = size if width is None else width
    if not scenes or min(num_frames, size, width) < 1:
        raise ValueError(f"nothing to render: {len(scenes)} scenes, {num_frames=}, {size=}, {width=}")
    pixels = np.empty((len(scenes), 3, num_frames, size, width), dtype=np.uint8)
    for clip, scene in zip(pixels, scenes):
        paint(clip, scene)
    return SpriteBatch(torch.from_numpy(pixels), tuple(scenes), tuple(caption(scene, scene.index) for scene in scenes))


def paint(clip: np.ndarray, scene: SpriteScene) -> None:
    """Paint one scene onto `clip`, uint8 `(3, T, H, W)`: background first, then objects, the front one last."""
    times = frame_times(clip.shape[1])
    _paint_background(clip, scene, times)
    for item in scene.objects:
        _paint_object(clip, item, *picture_path(scene, item, times))


def _paint_background(clip: np.ndarray, scene: SpriteScene, times: np.ndarray) -> None:
    if scene.background == "field":
        clip[:] = np.array(COLORS[scene.background_color]).reshape(3, 1, 1, 1)
        return
    if scene.camera == "still":
        times = times[:1]  # one picture for all frames
    middle, zoom = (values.astype(np.float32) for values in view(scene.camera, scene.camera_speed, times))
    height, width = clip.shape[2:]
    # Middles of the pixels, heights from the centre.
    across, down = ((np.arange(n, dtype=np.float32) + 0.5) / height - n / height / 2 for n in (width, height))
    x = across / zoom[:, None, None] + middle[:, None, None]  # (T, 1, W)
    y = (down / zoom[:, None, None] + 0.5).swapaxes(1, 2)  # (T, H, 1)
    light = light_part(scene, x, y, height * zoom[:, None, None])
    for channel, dark, bright in zip(clip, *shades(scene.background_color)):
        channel[:] = np.float32(dark + 0.5) + np.float32(bright - dark) * light


def _paint_object(clip: np.ndarray, item: SpriteObject, *path: np.ndarray) -> None:
    """Blend the object's colour in, within the box that holds its whole path: x, y and radius, `(T,)`, heights."""
    height, width = clip.shape[2:]
    x, y, radius = (height * values.astype(np.float32) for values in path)  # pixels
    x = x + np.float32((width - height) / 2)  # the world's middle is that of the picture
    columns, rows = (_span(place, radius * e, n) for place, e, n in zip((x, y), EXTENTS[item.shape], (width, height)))
    across = np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - x[:, None]  # (T, w)
    down = np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5 - y[:, None]  # (T, h)
    part = coverage(signed_distance(item.shape, across[:, None, :], down[:, :, None], radius[:, None, None]))
    for channel, value in zip(clip, COLORS[item.color]):
        patch = channel[:, rows, columns]
        patch[:] = patch + (value - patch.astype(np.float32)) * part + np.float32(0.5)


def _span(places: np.ndarray, extents: np.ndarray, size: int) -> slice:
    """The pixels along one axis that the object touches in any frame."""
    first, last = np.floor((places - extents).min() - 1), np.ceil((places + extents).max() + 1)
    return slice(int(np.clip(first, 0, size)), int(np.clip(last, 0, size)))
