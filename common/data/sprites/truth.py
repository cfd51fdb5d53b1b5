"""What is exactly true about a clip: where everything is, what can be seen of it and how every pixel moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from common.data.sprites.attributes import FPS, NUM_FRAMES, SIZE, SpriteScene
from common.data.sprites.backgrounds import coverage
from common.data.sprites.paths import frame_times, picture_path, to_picture, view
from common.data.sprites.shapes import EXTENTS, signed_distance


@dataclass(frozen=True)
class SpriteTruth:
    """The truth about B clips. K is 2, or 1 where no scene has two objects; the object behind comes first.

    Places are in pixels from the upper left corner of the picture: the first pixel reaches from 0 to 1.

    Attributes:
        present: bool `(B, K)`: False where a scene has one object only; its numbers are then NaN, its masks 0.
        positions: `(B, K, T, 2)`, x and y of each object's middle.
        boxes: `(B, K, T, 4)`: left, top, right and bottom of each object, also where it is hidden or outside.
        masks: `(B, K, T, H, W)` in [0, 1]: the part of each pixel that shows the object.
        flow: `(B, 2, T - 1, H, W)`, x then y, pixels per frame: the forward flow of what covers most of the pixel.
        flow_visible: bool `(B, T - 1, H, W)`: where what moves can still be seen in the next frame.
        camera_middle: `(B, T)`: x in the world, in heights, of the middle of the picture.
        camera_zoom: `(B, T)`: factor by which the world is magnified, 1 in the first frame.
        motion_score: `(B,)`: the mean length of the flow, in heights per second.
    """

    present: torch.Tensor
    positions: torch.Tensor
    boxes: torch.Tensor
    masks: torch.Tensor
    flow: torch.Tensor
    flow_visible: torch.Tensor
    camera_middle: torch.Tensor
    camera_zoom: torch.Tensor
    motion_score: torch.Tensor


def truth(scenes: Sequence[SpriteScene], num_frames: int = NUM_FRAMES, size: int = SIZE) -> SpriteTruth:
    """The truth about the clips that `render` makes of these scenes with the same arguments."""
    num_objects = max(len(scene.objects) for scene in scenes)
    columns = zip(*(_truth_of_scene(scene, num_frames, size, num_objects) for scene in scenes))
    return SpriteTruth(*(torch.from_numpy(np.stack(column)) for column in columns))


def _truth_of_scene(scene: SpriteScene, num_frames: int, size: int, num_objects: int) -> tuple:
    times = frame_times(num_frames)
    middle, zoom = view(scene.camera, scene.camera_speed, times)
    # Everything that moves as one, from the back to the front: x, y and scale of its own coordinates, (T,), pixels.
    layers = [[size * values for values in (*to_picture(0.0, 0.0, middle, zoom), zoom)]]
    layers += [[size * values for values in picture_path(scene, item, times)] for item in scene.objects]
    paths, shapes = np.array(layers), [item.shape for item in scene.objects]  # (1 + K, 3, T)
    grid = np.arange(size) + 0.5

    covers = [coverage(_distance(shape, path, grid, grid[:, None])) for shape, path in zip(shapes, paths[1:])]
    parts = visible_parts(np.stack([np.ones((num_frames, size, size)), *covers]))  # (1 + K, T, H, W)
    owner = parts.argmax(axis=0)[:-1]  # (T - 1, H, W): the layer that covers most of the pixel
    flow = _flow(paths, owner, grid)
    flow_visible = _still_seen(shapes, paths, owner, grid + flow[0], grid[:, None] + flow[1], size)

    extents = np.array([EXTENTS[shape] for shape in shapes])[:, None] * paths[1:, 2, :, None]  # (K, T, 2)
    places = paths[1:, :2].swapaxes(1, 2)  # (K, T, 2)
    boxes = np.concatenate([places - extents, places + extents], axis=-1)
    missing = [(0, num_objects - len(shapes)), (0, 0), (0, 0)]
    score = np.hypot(*flow).mean() * FPS / size if num_frames > 1 else 0.0
    return (
        np.arange(num_objects) < len(shapes),
        np.pad(places, missing, constant_values=np.nan).astype(np.float32),
        np.pad(boxes, missing, constant_values=np.nan).astype(np.float32),
        np.pad(parts[1:], [*missing, (0, 0)]).astype(np.float32),
        flow.astype(np.float32),
        flow_visible,
        middle.astype(np.float32),
        zoom.astype(np.float32),
        np.float32(score),
    )


def _distance(shape: str, path: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signed distance of points to an object in every frame of its path `(3, T)`: `(T, H, W)`, pixels."""
    place_x, place_y, radius = path[:, :, None, None]  # (T, 1, 1) each
    return signed_distance(shape, x - place_x, y - place_y, radius)


def visible_parts(covers: np.ndarray) -> np.ndarray:
    """What the layers before it leave of each layer, `(1 + K, T, H, W)`, from the back to the front."""
    left, parts = np.ones_like(covers[0]), []
    for cover in covers[::-1]:
        parts.append(left * cover)
        left = left * (1 - cover)
    return np.stack(parts[::-1])


def _flow(paths: np.ndarray, owner: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """`(2, T - 1, H, W)`: every point keeps its place in the coordinates of its layer, which shift and grow."""
    now, then = paths[..., :-1], paths[..., 1:]  # (1 + K, 3, T - 1)
    factor = then[:, 2] / now[:, 2]
    frames = np.arange(paths.shape[-1] - 1)[:, None, None]
    flow = []
    for axis, points in enumerate((grid, grid[:, None])):
        shift = then[:, axis] - factor * now[:, axis]  # (1 + K, T - 1): a point p goes to factor p + shift
        flow.append((factor[owner, frames] - 1) * points + shift[owner, frames])
    return np.stack(flow)


def _still_seen(shapes: list[str], paths: np.ndarray, owner: np.ndarray, x: np.ndarray, y: np.ndarray, size: int):
    """Whether the places where points go, `(T - 1, H, W)`, are inside the picture and behind no other layer."""
    seen = (x >= 0.5) & (x <= size - 0.5) & (y >= 0.5) & (y <= size - 0.5)
    for layer, (shape, path) in enumerate(zip(shapes, paths[1:]), start=1):
        seen &= (owner >= layer) | (_distance(shape, path[:, 1:], x, y) > 0)
    return seen
