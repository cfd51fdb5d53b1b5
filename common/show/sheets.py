"""Frames laid out on a sheet: one clip whole, several clips as strips, or side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from common.show.frames import as_frames, spread
from common.show.layout import draw
from common.show.picture import Picture


def contact_sheet(
    clip,
    *,
    columns: int | None = None,
    width: int = 160,
    labels: Sequence[str] | None = None,
    times: Sequence[float] | None = None,
    fps: float | None = None,
    start: float = 0.0,
    highlight: Sequence[int] = (),
    title: str | None = None,
) -> Picture:
    """Every frame of a clip, in reading order, with a label under each.

    Args:
        clip: `(C, T, H, W)` in [-1, 1], or uint8 frames `(T, H, W, C)`.
        columns: frames in a row; chosen from their number if None.
        width: of one frame, in pixels.
        labels: what to write under each frame. If None: its number, and its time where `times` or `fps` are given.
        times: seconds of each frame.
        fps: frames per second, to work out the times from `start`.
        start: seconds of the first frame.
        highlight: numbers of frames to put a frame around.
        title: a line above them.

    Raises:
        ValueError: the clip cannot be shown, or `labels` or `times` are not as many as its frames.
    """
    frames = as_frames(clip)
    num_frames = len(frames)
    if labels is None:
        if times is None and fps is not None:
            times = [start + k / fps for k in range(num_frames)]
        labels = _frame_labels(num_frames, times)
    if len(labels) != num_frames:
        raise ValueError(f"{len(labels)} labels for {num_frames} frames")
    columns = min(num_frames, columns or _good_columns(num_frames))
    rows = [range(first, min(first + columns, num_frames)) for first in range(0, num_frames, columns)]
    cells = [[(frames[i], labels[i], i in set(highlight)) for i in row] for row in rows]
    return draw(cells, width, title=title)


def strips(
    clips: Mapping[str, object], *, num_frames: int = 8, width: int | None = None, title: str | None = None
) -> Picture:
    """One row for each clip, its name above, frames spread evenly over it.

    Args:
        clips: name -> clip `(C, T, H, W)` or uint8 frames `(T, H, W, C)`; they may differ in length and size.
        num_frames: frames of each clip; all of them where a clip has fewer.
        width: of one frame, in pixels; about a notebook's width in all if None.
        title: a line above everything.

    Raises:
        ValueError: there is no clip, or one cannot be shown.
    """
    rows = [row(as_frames(clip), num_frames) for clip in clips.values()]
    if not rows:
        raise ValueError("strips needs at least one clip")
    return draw(rows, width or _good_width(max(map(len, rows))), title=title, names=list(clips))


def side_by_side(
    clips: Mapping[str, object], *, num_frames: int = 4, width: int | None = None, title: str | None = None
) -> Picture:
    """One column for each picture or clip, its name below: what belongs to one moment is in one row.

    Args:
        clips: name -> picture (uint8 `(H, W, C)`), clip `(C, T, H, W)` or uint8 frames `(T, H, W, C)`. All have the
            same number of frames.
        num_frames: rows, at most: frames spread evenly over the clips.
        width: of one column, in pixels; if None, 320 or what fits a notebook's width.
        title: a line above everything.

    Raises:
        ValueError: there is nothing to show, one cannot be shown, or the numbers of frames differ.
    """
    columns = {name: as_frames(_as_stack(clip)) for name, clip in clips.items()}
    lengths = {len(frames) for frames in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"clips side by side have one number of frames; these have {sorted(lengths)} (see strips)")
    chosen = spread(lengths.pop(), num_frames)
    suffix = {i: f"  ·  {i}" if len(chosen) > 1 else "" for i in chosen}
    rows = [[(frames[i], name + suffix[i], False) for name, frames in columns.items()] for i in chosen]
    return draw(rows, width or _good_width(len(columns), most=320), title=title)


def row(frames: np.ndarray, num_frames: int) -> list[tuple[np.ndarray, str, bool]]:
    """A row of cells: frames spread evenly, each with its number."""
    return [(frames[i], str(i), False) for i in spread(len(frames), num_frames)]


def _as_stack(picture):
    """A single uint8 picture `(H, W, C)` as a clip of one frame; clips as they are."""
    return picture[None] if isinstance(picture, np.ndarray) and picture.ndim == 3 else picture


def _frame_labels(num_frames: int, times: Sequence[float] | None) -> list[str]:
    if times is None:
        return [str(i) for i in range(num_frames)]
    if len(times) != num_frames:
        raise ValueError(f"{len(times)} times for {num_frames} frames")
    decimals = 2 if all(abs(time - round(time, 2)) < 1e-4 for time in times) else 3
    return [f"{i}  ·  {time:.{decimals}f} s" for i, time in enumerate(times)]


def _good_columns(num_frames: int) -> int:
    """Up to six in one row; else the number from 4 to 6 that leaves the fewest empty places in the last row."""
    if num_frames <= 6:
        return num_frames
    return min((6, 5, 4), key=lambda columns: -num_frames % columns)


def _good_width(columns: int, most: int = 160) -> int:
    """Frames as wide as `columns` of them allow in a notebook, at most `most`."""
    return max(64, min(most, 1000 // columns))
