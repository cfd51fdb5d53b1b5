"""From scenes to pixels: the painters of the world of sprites, told where on its plane each pixel is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from common.data.diorama.captions import caption
from common.data.diorama.scenes import FPS, NUM_FRAMES, SIZE, DioramaScene
from common.data.diorama.stage import Stage
from common.data.sprites.attributes import COLORS, shades
from common.data.sprites.backgrounds import light_part
from common.tensor_ops import from_uint8


@dataclass(frozen=True)
class DioramaBatch:
    """Rendered clips.

    Attributes:
        pixels: uint8 `(B, 3, T, H, W)`.
        scenes: what they show.
        captions: what they show, in words that the scene's index chooses.
        speeds: of the camera's moves, `(B, 6)`, in the order and the units of `CameraMove`.
        intrinsics: `(B, T, 3, 3)`, pixels.
        camera_to_world: `(B, T, 4, 4)`, OpenCV's axes; the identity in the first frame.
        fps: frames per second.
    """

    pixels: torch.Tensor
    scenes: tuple[DioramaScene, ...]
    captions: tuple[str, ...]
    speeds: torch.Tensor
    intrinsics: torch.Tensor
    camera_to_world: torch.Tensor
    fps: float = FPS

    def __len__(self) -> int:
        return len(self.scenes)

    def clips(self, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """The pixels as clips `(B, 3, T, H, W)` in [-1, 1]."""
        return from_uint8(self.pixels, dtype)


def render(
    scenes: Sequence[DioramaScene], num_frames: int = NUM_FRAMES, size: int = SIZE, fps: float = FPS
) -> DioramaBatch:
    """Draw scenes: a clip of `num_frames` square pictures, `size` pixels high, for each.

    Raises:
        ValueError: there is no scene, a number is below 1, or a clip is so long that the camera comes to an object.
    """
    if not scenes or num_frames < 1 or size < 1 or not fps > 0:
        raise ValueError(f"nothing to render: {len(scenes)} scenes, {num_frames=}, {size=}, {fps=}")
    stages = [Stage(scene, num_frames, size, fps) for scene in scenes]
    pixels = np.empty((len(scenes), 3, num_frames, size, size), dtype=np.uint8)
    for clip, stage in zip(pixels, stages):
        paint(clip, stage)
    return DioramaBatch(
        torch.from_numpy(pixels),
        tuple(scenes),
        tuple(caption(scene, scene.index) for scene in scenes),
        torch.stack([scene.camera.speeds for scene in scenes]).float(),
        torch.stack([stage.path.intrinsics for stage in stages]).float(),
        torch.stack([stage.path.camera_to_world for stage in stages]).float(),
        fps,
    )


def paint(clip: np.ndarray, stage: Stage) -> None:
    """Paint one scene onto `clip`, uint8 `(3, T, H, W)`: background first, then objects, the front one last."""
    sprites, everywhere = stage.scene.sprites, np.arange(stage.size)
    if sprites.background == "field":
        clip[:] = np.array(COLORS[sprites.background_color]).reshape(3, 1, 1, 1)
    else:
        points = stage.on_plane(0, everywhere, everywhere)
        half = np.float32(0.5)  # the world of sprites counts from the picture's corner
        light = light_part(sprites, points.x + half, points.y + half, points.pixels)
        for channel, dark, bright in zip(clip, *shades(sprites.background_color)):
            channel[:] = np.float32(dark + 0.5) + np.float32(bright - dark) * light
    for layer, item in enumerate(sprites.objects, start=1):
        columns, rows = stage.box(layer)
        if len(columns) and len(rows):
            part = stage.cover(layer, columns, rows)
            for channel, value in zip(clip, COLORS[item.color]):
                patch = channel[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                patch[:] = patch + (value - patch.astype(np.float32)) * part + np.float32(0.5)
