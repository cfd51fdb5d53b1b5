"""Frames laid out on a sheet: one clip, several clips, or a target beside what came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.show.frames import as_frames, scale, spread
from common.show.picture import ACCENT, FAINT, GAP, MARGIN, Picture, paper, text_size, write

FACTORS = (1, 2, 4, 8, 16, 32, 64)
TITLE_GAP = 4  # more air below the title than below a row's name


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
    return _draw(cells, width, title=title)


def side_by_side(
    clips: Mapping[str, object], *, num_frames: int = 6, width: int = 160, title: str | None = None
) -> Picture:
    """One row for each clip, `num_frames` frames spread evenly over it, its name above.

    Args:
        clips: name -> clip `(C, T, H, W)` or uint8 frames `(T, H, W, C)`; they may differ in length and size.
        num_frames: frames of each clip; all of them where a clip has fewer.
        width: of one frame, in pixels.
        title: a line above everything.
    """
    cells, names = [], []
    for name, clip in clips.items():
        frames = as_frames(clip)
        cells.append([(frames[i], f"{i}", False) for i in spread(len(frames), num_frames)])
        names.append(name)
    if not cells:
        raise ValueError("side_by_side needs at least one clip")
    return _draw(cells, width, title=title, names=names)


@dataclass(frozen=True)
class Difference:
    """`yours - target`, times `factor`, around middle grey: grey is equal, brighter is too high, darker too low.

    Attributes:
        frames: uint8 `(T, H, W, 3)`.
        factor: by how much the difference was amplified.
        largest: the largest difference there is, as a fraction of the full range.
    """

    frames: np.ndarray
    factor: float
    largest: float


def difference(target, yours, *, factor: float | None = None) -> Difference:
    """The difference of two clips, amplified so that it can be seen.

    Args:
        target: `(C, T, H, W)` in [-1, 1], or uint8 frames `(T, H, W, C)`.
        yours: the same size.
        factor: amplification; the largest of 1, 2, 4, ..., 64 that keeps (nearly) everything in range if None.

    Raises:
        ValueError: a clip cannot be shown, or the sizes differ.
    """
    target, yours = as_frames(target), as_frames(yours)
    if target.shape != yours.shape:
        raise ValueError(f"the clips differ in size: {target.shape} and {yours.shape} (T, H, W, C)")
    signed = yours.astype(np.int16) - target  # -255 .. 255
    if factor is None:
        reach = max(1.0, float(np.quantile(np.abs(signed), 0.995)))
        factor = max(f for f in FACTORS if f == 1 or f * reach <= 255)
    shown = (127.5 + signed * (factor / 2)).round().clip(0, 255).astype(np.uint8)
    return Difference(shown, factor, float(np.abs(signed).max()) / 255)


def compare(
    target,
    yours,
    *,
    num_frames: int = 6,
    width: int = 160,
    names: tuple[str, str] = ("target", "yours"),
    factor: float | None = None,
    title: str | None = None,
) -> Picture:
    """Target, yours, and their difference, one above the other, frame by frame.

    Clips of different sizes are shown too: then a line says so where the difference would be.

    Args:
        target: `(C, T, H, W)` in [-1, 1], or uint8 frames `(T, H, W, C)`.
        yours: what is compared with it.
        num_frames: frames to show, spread evenly over the clip.
        width: of one frame, in pixels.
        names: of the first two rows.
        factor: amplification of the difference, chosen if None; the row's name states it.
        title: a line above everything.

    Raises:
        ValueError: one of the two cannot be shown at all.
    """
    target, yours = as_frames(target), as_frames(yours)
    if target.shape != yours.shape:
        sizes = f"sizes differ: {names[0]} has {_size(target)}, {names[1]} has {_size(yours)}"
        rows = [(names[0], target), (names[1], yours)]
        cells = [[(frames[i], f"{i}", False) for i in spread(len(frames), num_frames)] for _, frames in rows]
        return _draw(cells, width, title=title, names=[name for name, _ in rows], footer=sizes)
    change = difference(target, yours, factor=factor)
    if change.largest == 0:
        about = "difference: none"
    else:
        about = f"difference ×{change.factor:g} (grey: equal; largest {100 * change.largest:.1f} % of the range)"
    chosen = spread(len(target), num_frames)
    cells = [[(frames[i], f"{i}", False) for i in chosen] for frames in (target, yours, change.frames)]
    return _draw(cells, width, title=title, names=[*names, about])


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


def _size(frames: np.ndarray) -> str:
    return f"{len(frames)} frames of {frames.shape[2]}×{frames.shape[1]}"


def _draw(cells, width: int, *, title=None, names=None, footer=None) -> Picture:
    """Lay out rows of `(frame, label, is_highlighted)`; `names`, where given, stand above their rows."""
    if width < 16:
        raise ValueError(f"frames are at least 16 pixels wide here, got width={width}")
    letters = text_size(width)
    line = letters + 5
    pictures = [[scale(frame, width) for frame, _, _ in row] for row in cells]
    heights = [max(picture.height for picture in row) for row in pictures]
    num_lines = bool(title) + bool(footer) + (len(names) if names else 0) + len(cells)
    columns = max(len(row) for row in cells)
    inner = columns * width + (columns - 1) * GAP
    height = sum(heights) + num_lines * line + (len(cells) - 1) * GAP + bool(title) * TITLE_GAP + 2 * MARGIN
    sheet, pen = paper(inner + 2 * MARGIN, height)

    y = MARGIN
    if title:
        write(pen, (MARGIN, y), title, width=inner, size=letters + 2)
        y += line + TITLE_GAP
    for number, (row, row_pictures) in enumerate(zip(cells, pictures)):
        if names:
            write(pen, (MARGIN, y), names[number], width=inner, size=letters)
            y += line
        for column, ((_, label, is_highlighted), picture) in enumerate(zip(row, row_pictures)):
            x = MARGIN + column * (width + GAP)
            sheet.paste(picture, (x, y))
            if is_highlighted:
                pen.rectangle((x - 3, y - 3, x + width + 2, y + picture.height + 2), outline=ACCENT, width=3)
            colour = ACCENT if is_highlighted else FAINT
            write(pen, (x, y + heights[number] + 3), label, width=width, size=letters - 1, colour=colour)
        y += heights[number] + line + GAP
    if footer:
        write(pen, (MARGIN, y - GAP), footer, width=inner, size=letters)
    return Picture(sheet)
