"""How a video file moves: what `show --flow` draws."""

from pathlib import Path

import numpy as np
import torch
from einops import rearrange

from common.evaluation import flow as evaluation
from common.flow import gradient, warping
from common.progress import progress_bar
from common.show import difference, flow_wheel
from common.show.layout import draw
from common.video import VideoReader, sampling

SIZE = 180  # the shorter side at which the flow is computed, at most
COLUMNS = 6


def draw_flow(path, target: Path, indices: list[int], *, columns: int | None = None, width: int = 200) -> str:
    """Draw frames of a video file, the flow from each to the next frame, and what that flow does not explain.

    The flow, the warp, the error and the colours are those of `common.flow`, `common.evaluation` and `common.show`,
    looked up when they are needed.

    Args:
        path: a video file.
        target: where to write the sheet, a PNG or JPEG file.
        indices: numbers of the frames; the last frame of the file has no next one and is left out.
        columns: frames in a row, at most 6 if None.
        width: of one frame on the sheet, in pixels.

    Returns:
        A line about the motion, lengths in pixels of the file per frame.

    Raises:
        ValueError: the file cannot be read, or no frame has a next one.
        OSError: the sheet cannot be written.
    """
    with VideoReader(path) as reader:
        info, timestamps = reader.info, reader.timestamps
        indices = [i for i in dict.fromkeys(indices) if i + 1 < len(reader)]
        if not indices:
            raise ValueError(f"{path}: flow leads from a frame to the next one, and there is no next one here")
        size = min(SIZE, info.width, info.height)
        frames = reader.read([k for i in indices for k in (i, i + 1)], size=size)
    first, second = rearrange(sampling.frames_to_clip(frames), "c (n pair) h w -> pair n 1 c h w", pair=2)
    found = [_measure(*pair) for pair in progress_bar(list(zip(first, second)), desc="flow", unit="frame")]
    flow, warped, doubt = (torch.cat([row[k] for row in found]) for k in range(3))
    lengths = flow.norm(dim=1) * min(info.width, info.height) / size  # (N, H, W), in pixels of the file
    longest = max(float(np.quantile(lengths, 0.99)), 0.1)  # below a tenth of a pixel nothing is worth a colour
    painted = flow_wheel.flow_to_color(flow, max_flow=longest * size / min(info.width, info.height))  # (N, H, W, 3)
    _add_key(painted)
    rows = [
        [(frame, f"{i}  ·  {timestamps[i]:.2f} s", False) for i, frame in zip(indices, frames[::2])],
        [(picture, f"to {i + 1}: {length.mean():.1f} px", False)
         for i, picture, length in zip(indices, painted, lengths)],
        _unexplained(first[:, 0], second[:, 0], warped),
    ]  # fmt: skip
    columns = columns or COLUMNS
    lines = [row[at : at + columns] for at in range(0, len(indices), columns) for row in rows]
    title = f"{Path(path).name}  ·  flow to the next frame  ·  pure colour: {longest:.1f} pixels"
    draw(lines, width, title=title).save(target, quality=90)
    disagree = doubt.mean() * min(info.width, info.height) / size
    return (
        f"flow to the next frame: {lengths.mean():.2f} pixels on average; "
        f"forward and backward flow disagree by {disagree:.2f}"
    )


def _measure(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The flow between two frames `(1, C, H, W)`, the second one warped back, and the doubt `(1,)` about the flow.

    Who goes there by the forward flow and comes back by the backward one should arrive where they left; in pixels that
    are hidden in the second frame they do not.
    """
    forward, backward = gradient.lucas_kanade(first, second), gradient.lucas_kanade(second, first)
    way_back = warping.warp(backward, forward)
    inside = warping.points_inside(forward)[:, 0]  # (1, H, W)
    doubt = evaluation.end_point_error(forward, -way_back, valid=inside if inside.any() else None)
    return forward, warping.warp(second, forward), doubt


def _unexplained(first: torch.Tensor, second: torch.Tensor, warped: torch.Tensor) -> list[tuple]:
    """For each frame `(C, H, W)` the difference to the next one warped back, and how much of the change is left."""
    change = difference(rearrange(first, "n c h w -> c n h w"), rearrange(warped, "n c h w -> c n h w"), factor=2)
    left, plain = ((other - first).abs().mean(dim=(1, 2, 3)) for other in (warped, second))
    share = (100 * left / plain.clamp(min=1e-6)).tolist()
    return [(picture, f"unexplained: {part:.0f} %", False) for picture, part in zip(change.frames, share)]


def _add_key(painted: np.ndarray) -> None:
    """Put a small wheel into the lower right corner of each flow `(N, H, W, 3)`: which way a colour moves."""
    side = max(8, min(painted.shape[1:3]) // 4)
    wheel = flow_wheel.color_wheel(side)
    inside = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2)) <= (side - 1) / 2
    painted[:, -side:, -side:][:, inside] = wheel[inside]
