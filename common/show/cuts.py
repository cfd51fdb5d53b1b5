"""Cuts, drawn: the frames around them, the distances that a detector sees, and where it reports one."""

from collections.abc import Mapping, Sequence

import numpy as np

from common.show.picture import Picture
from common.show.sheets import contact_sheet
from common.video import read_frames

RUST, BLUE = "#b3541e", "#1f6f8b"


def around_cuts(path, cuts: Sequence[int]) -> Picture:
    """The last frame of each shot and, framed, the first of the next one."""
    numbers = [i for cut in cuts for i in (cut - 1, cut)]
    labels, framed = [f"frame {i}" for i in numbers], range(1, len(numbers), 2)
    return contact_sheet(read_frames(path, numbers, size=90), columns=4, width=200, labels=labels, highlight=framed)


def steps(descriptors: np.ndarray) -> np.ndarray:
    """Distance of each frame to the one before: `(T - 1,)`, sums of absolute differences of descriptors `(T, D)`."""
    return np.abs(np.diff(descriptors, axis=0)).sum(axis=1)


def draw_distances(descriptors: Mapping[str, np.ndarray], cuts: Sequence[int]):
    """Each frame's distance to the one before, by up to two kinds of descriptors `(T, D)`; true cuts are dotted.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8.5, 2.8), layout="constrained")
    for (name, kind), colour in zip(descriptors.items(), (RUST, BLUE)):
        axis.plot(np.arange(1, len(kind)), steps(kind), color=colour, label=name)
    for cut in cuts:
        axis.axvline(cut, color="0.6", linestyle=":", zorder=0)
    axis.set(xlabel="frame", ylabel="distance", ylim=(0, None))
    axis.legend(fontsize=9)
    plt.close(figure)
    return figure


def draw_course(descriptors: np.ndarray, starts: Mapping[str, int], floor: float, found: Mapping[str, Sequence[int]]):
    """Distances over a film of named pieces, a threshold, and the cuts that up to two detectors report.

    Args:
        descriptors: `(T, D)`.
        starts: name of a piece to the number of its first frame.
        floor: the threshold, drawn as a dotted line.
        found: name of a detector to frame numbers.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9.5, 3.6), layout="constrained")
    edges, distance = [*starts.values(), len(descriptors)], steps(descriptors)
    top = 1.15 * distance.max()
    for k, (name, left, right) in enumerate(zip(starts, edges, edges[1:])):
        axis.axvspan(left, right, color="0.93" if k % 2 else "1.0", zorder=0)
        axis.text((left + right) / 2, 1.16 * top, name, ha="center", fontsize=9)
    axis.plot(np.arange(1, len(descriptors)), distance, color="0.45", linewidth=1, label="distance to the frame before")
    axis.axhline(floor, color=RUST, linestyle=":", label="best plain threshold")
    for (name, cuts), height, marker, colour in zip(found.items(), (1.08, 1.0), "v^", (RUST, BLUE)):
        axis.plot(cuts, [height * top] * len(cuts), marker, color=colour, label=f"cuts: {name}")
    axis.set(xlabel="frame", ylabel="distance", ylim=(0, 1.26 * top), xlim=(0, len(descriptors)))
    axis.set_title("A new shot begins where the shade changes")
    axis.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1, 0.75))
    plt.close(figure)
    return figure


def flagged(frames: np.ndarray, first: int, cuts: Sequence[int], colour: tuple) -> np.ndarray:
    """Frames of a film with a coloured border where a cut is reported, and on the next frame.

    Args:
        frames: uint8 (T, H, W, 3), numbers `first` to `first + T - 1` of the film.
        first: see there.
        cuts: frame numbers.
        colour: RGB.
    """
    frames, border = frames.copy(), np.ones(frames.shape[1:3], bool)
    border[3:-3, 3:-3] = False
    for cut in cuts:
        if 0 <= cut - first < len(frames):
            frames[cut - first : cut - first + 2][:, border] = colour
    return frames
