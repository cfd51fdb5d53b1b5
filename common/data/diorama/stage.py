"""A scene at some moments: where the camera is, where everything is on its plane, and what covers which pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from common.data.diorama.camera import camera_path, plane_homography
from common.data.diorama.scenes import DioramaScene
from common.data.sprites.backgrounds import coverage
from common.data.sprites.paths import world_path
from common.data.sprites.shapes import EXTENTS, signed_distance

NEAREST = 0.05  # depth: a plane that is nearer than this is not drawn
FLATTEST = 0.25  # least slope of a distance, as a part of the usual one: at a ridge of it there is none


@dataclass(frozen=True)
class PlanePoints:
    """Pixels' middles on a plane.

    Attributes:
        x, y: `(T, H, W)`, in the plane's lengths, or of size 1 along an axis where nothing changes.
        pixels: how many pixels a length of the plane is: `(T, 1, 1)` where all directions are alike, else a function of
            a direction on the plane, right and down, which gives `(T, H, W)`.
    """

    x: np.ndarray
    y: np.ndarray
    pixels: np.ndarray | Callable


class Stage:
    """A scene of 1 + K layers, each a plane that faces the first camera: the background, then objects, front last.

    Args:
        scene: what is shown.
        num_frames, size, fps: of the clip.

    Attributes:
        path: the cameras.
        depths: of the layers, `(1 + K,)`.
        homographies: from the picture to each layer's plane, `(1 + K, T, 3, 3)`.
        tracks: x, y and radius of each object on its plane, `(K, 3, T)`.

    Raises:
        ValueError: the clip is so long that the camera comes to a plane, or turns away from it.
    """

    def __init__(self, scene: DioramaScene, num_frames: int, size: int, fps: float):
        times = np.arange(num_frames) / fps
        self.scene, self.size, self.num_frames = scene, size, num_frames
        self.path = camera_path(scene.camera.speeds, torch.from_numpy(times), size, size)
        self.depths = np.array([1.0, *scene.depths])
        matrices = self.path.intrinsics, self.path.camera_to_world
        self.homographies = np.stack([plane_homography(*matrices, float(depth)).numpy() for depth in self.depths])
        self.tracks = np.array([
            [(x - 0.5) * depth, (y - 0.5) * depth, item.radius * growth * depth]
            for item, depth in zip(scene.sprites.objects, scene.depths)
            for x, y, growth in [world_path(item.motion, times, item.x, item.y, item.speed, item.reach, item.phase)]
        ]).reshape(-1, 3, num_frames)  # fmt: skip
        self._demand_before()

    def on_plane(self, layer: int, columns: np.ndarray, rows: np.ndarray) -> PlanePoints:
        """Where the pixels of these columns and rows are on a layer's plane."""
        h = self.homographies[layer].astype(np.float32).transpose(1, 2, 0)[..., None, None]  # (3, 3, T, 1, 1)
        u, v = columns.astype(np.float32) + np.float32(0.5), (rows.astype(np.float32) + np.float32(0.5))[:, None]
        if self._faces_planes:
            x, y = (h[0, 0] * u + h[0, 2]) / h[2, 2], (h[1, 1] * v + h[1, 2]) / h[2, 2]  # (T, 1, W), (T, H, 1)
            return PlanePoints(x, y, h[2, 2] / h[0, 0])
        w = h[2, 0] * u + h[2, 1] * v + h[2, 2]
        x, y = ((h[axis, 0] * u + h[axis, 1] * v + h[axis, 2]) / w for axis in (0, 1))  # (T, H, W)
        by_u = [(h[axis, 0] - place * h[2, 0]) / w for axis, place in enumerate((x, y))]  # one pixel to the right
        by_v = [(h[axis, 1] - place * h[2, 1]) / w for axis, place in enumerate((x, y))]  # one pixel down

        def pixels(right, down):
            """The reciprocal of the change, per pixel, of the coordinate along a direction."""
            right, down = np.asarray(right, np.float32), np.asarray(down, np.float32)
            change = np.hypot(right * by_u[0] + down * by_u[1], right * by_v[0] + down * by_v[1])
            return np.hypot(right, down) / np.maximum(change, np.float32(1e-9))

        return PlanePoints(x, y, pixels)

    def cover(self, layer: int, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The part of each pixel that an object covers, `(T, H, W)`; `layer` counts from 1."""
        shape = self.scene.sprites.objects[layer - 1].shape
        x0, y0, radius = self.tracks[layer - 1].astype(np.float32)[..., None, None]  # (T, 1, 1)
        if self._faces_planes:
            points = self.on_plane(layer, columns, rows)
            factor = points.pixels
            x, y = (points.x - x0) * factor, (points.y - y0) * factor
            return coverage(signed_distance(shape, x, y, radius * factor))
        wider = [np.arange(axis[0] - 1, axis[-1] + 2) for axis in (columns, rows)]
        points = self.on_plane(layer, *wider)
        distance = signed_distance(shape, points.x - x0, points.y - y0, radius)
        inner = distance[:, 1:-1, 1:-1]
        slope = np.hypot(distance[:, 1:-1, 2:] - distance[:, 1:-1, :-2], distance[:, 2:, 1:-1] - distance[:, :-2, 1:-1])
        usual = 1 / points.pixels(1, 0)[:, 1:-1, 1:-1]
        return coverage(inner / np.maximum(slope / 2, FLATTEST * usual))

    def box(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """The columns and the rows that an object touches in any frame; they may be none."""
        x, y, radius = self.tracks[layer - 1]
        across, down = EXTENTS[self.scene.sprites.objects[layer - 1].shape]
        corners = [[x + i * across * radius, y + j * down * radius, np.ones_like(x)] for i in (-1, 1) for j in (-1, 1)]
        seen = np.linalg.inv(self.homographies[layer]) @ np.array(corners).transpose(2, 1, 0)  # (T, 3, 4)
        places = seen[:, :2] / seen[:, 2:]
        first, last = np.floor(places.min(axis=(0, 2)) - 1), np.ceil(places.max(axis=(0, 2)) + 1)
        first, last = (np.clip(end, 0, self.size).astype(int) for end in (first, last))
        return np.arange(first[0], last[0]), np.arange(first[1], last[1])

    @property
    def _faces_planes(self) -> bool:
        """Whether the camera never turns: each plane then has one scale in a frame."""
        camera = self.scene.camera
        return not (camera.pan or camera.tilt or camera.orbit)

    def _demand_before(self) -> None:
        nearest = self.depths.min() - self.path.camera_to_world[:, 2, 3].numpy()
        if nearest.min() < NEAREST:
            frame = int((nearest < NEAREST).argmax())
            raise ValueError(f"the camera comes to an object in frame {frame} of scene {self.scene.index}")
        corners = np.array([[0, self.size, 0, self.size], [0, 0, self.size, self.size], [1, 1, 1, 1]])
        ahead = (self.homographies[0, :, 2:] @ corners).min(axis=(1, 2))  # (T,)
        if ahead.min() < NEAREST:
            frame = int((ahead < NEAREST).argmax())
            raise ValueError(f"the camera turns away from the background in frame {frame} of scene {self.scene.index}")
