"""What is exactly true about a clip: depth, cameras, masks and flow, from the geometry that the clip is painted by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from common.data.diorama.scenes import FPS, NUM_FRAMES, SIZE, DioramaScene
from common.data.diorama.stage import Stage
from common.data.sprites.shapes import signed_distance
from common.data.sprites.truth import visible_parts


@dataclass(frozen=True)
class DioramaTruth:
    """The truth about B clips. K is 2, or 1 where no scene has two objects; the object behind comes first.

    Places are in pixels from the upper left corner of the picture: the first pixel reaches from 0 to 1.

    Attributes:
        present: bool `(B, K)`: False where a scene has one object only; its numbers are then NaN, its masks 0.
        positions: `(B, K, T, 2)`, x and y of each object's middle.
        masks: `(B, K, T, H, W)` in [0, 1]: the part of each pixel that shows the object.
        depth: `(B, T, H, W)`, of what covers most of the pixel, along the camera's forward axis. The background of the
            first frame is at 1.
        flow: `(B, 2, T - 1, H, W)`, x then y, pixels per frame: the forward flow of what covers most of the pixel.
        flow_visible: bool `(B, T - 1, H, W)`: where what moves can still be seen in the next frame.
        intrinsics: `(B, T, 3, 3)`, pixels.
        camera_to_world: `(B, T, 4, 4)`, OpenCV's axes; the identity in the first frame.
        speeds: `(B, 6)`, in the order and the units of `CameraMove`.
        motion_score: `(B,)`: the mean length of the flow, in heights per second.
    """

    present: torch.Tensor
    positions: torch.Tensor
    masks: torch.Tensor
    depth: torch.Tensor
    flow: torch.Tensor
    flow_visible: torch.Tensor
    intrinsics: torch.Tensor
    camera_to_world: torch.Tensor
    speeds: torch.Tensor
    motion_score: torch.Tensor


def truth(
    scenes: Sequence[DioramaScene], num_frames: int = NUM_FRAMES, size: int = SIZE, fps: float = FPS
) -> DioramaTruth:
    """The truth about the clips that `render` makes of these scenes with the same arguments; it raises the same."""
    if not scenes or num_frames < 1 or size < 1 or not fps > 0:
        raise ValueError(f"nothing to know: {len(scenes)} scenes, {num_frames=}, {size=}, {fps=}")
    num_objects = max(len(scene.depths) for scene in scenes)
    rows = zip(*(_of_scene(Stage(scene, num_frames, size, fps), num_objects, fps) for scene in scenes))
    return DioramaTruth(*(torch.from_numpy(np.stack(column)) for column in rows))


def _of_scene(stage: Stage, num_objects: int, fps: float) -> tuple:
    layers, size, everywhere = range(1, len(stage.depths)), stage.size, np.arange(stage.size)
    whole = np.ones((stage.num_frames, size, size), dtype=np.float32)
    parts = visible_parts(np.stack([whole, *(stage.cover(k, everywhere, everywhere) for k in layers)]))
    owner = parts.argmax(axis=0)  # (T, H, W): the layer that covers most of the pixel
    grid = _grid(size)  # (3, H, W)
    flow = _flow(stage, owner[:-1], grid)
    missing = [(0, num_objects - len(layers)), (0, 0), (0, 0)]
    score = np.hypot(*flow).mean() * fps / size if stage.num_frames > 1 else 0.0
    return (
        np.arange(num_objects) < len(layers),
        np.pad(_positions(stage), missing, constant_values=np.nan).astype(np.float32),
        np.pad(parts[1:], [*missing, (0, 0)]).astype(np.float32),
        _depth(stage, owner, grid).astype(np.float32),
        flow.astype(np.float32),
        _still_seen(stage, owner[:-1], grid[:2, None] + flow),
        stage.path.intrinsics.float().numpy(),
        stage.path.camera_to_world.float().numpy(),
        stage.scene.camera.speeds.float().numpy(),
        np.float32(score),
    )


def _grid(size: int) -> np.ndarray:
    """Column, row and 1 of each pixel's middle, `(3, H, W)`."""
    rows, columns = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
    return np.stack([columns, rows, np.ones_like(rows)])


def _positions(stage: Stage) -> np.ndarray:
    """Objects' middles in the picture, `(K, T, 2)`."""
    middles = np.concatenate([stage.tracks[:, :2], np.ones_like(stage.tracks[:, :1])], axis=1)  # (K, 3, T)
    seen = np.einsum("ktij,kjt->kti", np.linalg.inv(stage.homographies[1:]), middles)
    return seen[..., :2] / seen[..., 2:]


def _depth(stage: Stage, owner: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """`(T, H, W)`: what is left to the layer's plane, over the part of it that a ray of depth 1 covers."""
    ahead = np.einsum("tj,jhw->thw", stage.homographies[0, :, 2], grid)  # the same for all layers
    left = stage.depths[:, None] - stage.path.camera_to_world[:, 2, 3].numpy()  # (1 + K, T)
    return left[owner, np.arange(stage.num_frames)[:, None, None]] / ahead


def _flow(stage: Stage, owner: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """`(2, T - 1, H, W)`: every point keeps its place on its thing, and the thing moves on its plane."""
    still = np.zeros((1, 3, stage.num_frames)) + np.array([0, 0, 1])[:, None]
    tracks = np.concatenate([still, stage.tracks])  # (1 + K, 3, T)
    now, then = tracks[..., :-1], tracks[..., 1:]
    growth = then[:, 2] / now[:, 2]  # (1 + K, T - 1)
    moves = np.zeros((*growth.shape, 3, 3))
    moves[..., 0, 0] = moves[..., 1, 1] = growth
    moves[..., :2, 2] = (then[:, :2] - growth[:, None] * now[:, :2]).swapaxes(1, 2)
    moves[..., 2, 2] = 1
    steps = np.linalg.inv(stage.homographies[:, 1:]) @ moves @ stage.homographies[:, :-1]  # picture to next picture
    flow = np.zeros((2, *owner.shape))
    for layer, step in enumerate(steps):
        goes = np.einsum("tij,jhw->ithw", step, grid)
        flow = np.where(owner == layer, goes[:2] / goes[2] - grid[:2, None], flow)
    return flow


def _still_seen(stage: Stage, owner: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Whether the places where points go, `(2, T - 1, H, W)`, are inside the picture and behind no other layer."""
    seen = ((places >= 0.5) & (places <= stage.size - 0.5)).all(axis=0)
    points = np.concatenate([places, np.ones_like(places[:1])])
    for layer, (item, track) in enumerate(zip(stage.scene.sprites.objects, stage.tracks), start=1):
        x, y, w = np.einsum("tij,jthw->ithw", stage.homographies[layer, 1:], points)
        x0, y0, radius = track[:, 1:, None, None]
        seen &= (owner >= layer) | (signed_distance(item.shape, x / w - x0, y / w - y0, radius) > 0)
    return seen
