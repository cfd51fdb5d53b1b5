"""What came out beside what was wanted, and their difference, amplified by a stated factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.show.frames import as_frames
from common.show.layout import draw
from common.show.picture import Picture
from common.show.sheets import row

FACTORS = (1, 2, 4, 8, 16, 32, 64)


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
    labels: Sequence[str] = ("target", "yours"),
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
        labels: names of the rows; a third one stands for "difference".
        factor: amplification of the difference, chosen if None; the row's name states it.
        title: a line above everything.

    Raises:
        ValueError: one of the two cannot be shown at all.
    """
    target, yours = as_frames(target), as_frames(yours)
    ours, theirs, *third = labels
    if target.shape != yours.shape:
        sizes = f"sizes differ: {ours} has {_size(target)}, {theirs} has {_size(yours)}"
        rows = [row(target, num_frames), row(yours, num_frames)]
        return draw(rows, width, title=title, names=[ours, theirs], footer=sizes)
    change = difference(target, yours, factor=factor)
    about = third[0] if third else "difference"
    if change.largest == 0:
        about += ": none"
    else:
        about += f" ×{change.factor:g} (grey: equal; largest {100 * change.largest:.1f} % of the range)"
    rows = [row(frames, num_frames) for frames in (target, yours, change.frames)]
    return draw(rows, width, title=title, names=[ours, theirs, about])


def _size(frames: np.ndarray) -> str:
    return f"{len(frames)} frames of {frames.shape[2]}×{frames.shape[1]}"
