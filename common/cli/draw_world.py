"""`data draw`: clips of a world with exact truth, on a sheet."""

from pathlib import Path

import numpy as np
import torch

from common.data.diorama import DioramaData
from common.data.mini import MiniSprites
from common.data.sprites import SpriteData
from common.data.sprites.solo import SoloSprites
from common.show import flow_to_color, strips

WORLDS = {"sprites": SpriteData, "solo": SoloSprites, "mini": MiniSprites, "diorama": DioramaData}
WITH_TRUTH = ("sprites", "mini", "diorama")
PICTURES = (".png", ".jpg", ".jpeg")


def draw_world(
    world: str, split: str = "test", first: int = 0, count: int = 4, truth: bool = False, out: str | Path | None = None
) -> Path:
    """Draw clips of a world, a strip for each.

    Args:
        world: one of `WORLDS`.
        split: as that world names it.
        first, count: number of the first clip, and how many are drawn.
        truth: draw the optical flow below each clip, and the depth where there is one.
        out: a PNG or JPEG file; `WORLD_sheet.png` in the current folder if None.

    Returns:
        Its path.

    Raises:
        ValueError: the world has no such split or clip, no truth that can be drawn, or the file is no picture's.
        OSError: the sheet cannot be written.
    """
    target = Path(out) if out is not None else Path(f"{world}_sheet.png")
    if target.suffix.lower() not in PICTURES:
        raise ValueError(f"a sheet is a .png or .jpg file, not {target.name!r}")
    if truth and world not in WITH_TRUTH:
        raise ValueError(f"the truth is drawn for {', '.join(WITH_TRUTH)}, not for {world}")
    data, numbers = WORLDS[world](split=split), range(first, first + count)
    batch, known, rows = data.batch(numbers), data.truth(numbers) if truth else None, {}
    for k, (number, caption) in enumerate(zip(numbers, batch.captions)):
        rows[f"{number}: {caption}"] = batch.pixels[k].movedim(0, -1).numpy()  # (T, H, W, 3)
        if known is not None:
            rows[f"{number}: flow to the next frame"] = flow_to_color(known.flow[k].movedim(1, 0))
        if hasattr(known, "depth"):
            rows[f"{number}: depth, near is white"] = _grey(known.depth[k])
    target.parent.mkdir(parents=True, exist_ok=True)
    strips(rows, num_frames=9, width=128, title=f"{world}, split {split}").save(target, quality=90)
    return target


def _grey(depth: torch.Tensor) -> np.ndarray:
    """Depth `(T, H, W)` as grey frames, the nearest white and the farthest black."""
    near, far = depth.min(), depth.max()
    light = 255 * (far - depth) / (far - near).clamp(min=1e-6)
    return light.round().to(torch.uint8).numpy()[..., None].repeat(3, axis=-1)
