"""Whether a loader returned the frames that it was asked for: the proof of lab 01.1."""

from typing import NamedTuple

import numpy as np


class Proof(NamedTuple):
    """Which frames came, by number, and by how much they differ from those asked for, in levels of 255."""

    numbers: list
    max_error: int


def compare_frames(frames, film, indices, step=4):
    """Compares what a loader returned with the whole film: which frames are they, and are they the same to the bit?

    The likeness of two pictures is the correlation of their grey values: the mean of the three channels, on every
    `step`-th row and column (from the first on), minus its mean over the picture, scaled to length 1. A picture without
    contrast has likeness 0 with every other. The arrays may have any memory layout; none of them is changed.

    Args:
        frames: uint8 (N, H, W, 3), what came.
        film: uint8 (M, H, W, 3), every frame of the film in order.
        indices: a list of N numbers from 0 to M - 1, what was asked for.
        step: distance of the rows and columns to look at for the likeness, to save time.

    Returns:
        `Proof(numbers, max_error)`.
        `numbers`: a list; for each frame that came, the number of the film's frame that is most like it. Where the one
        asked for is as like as the best, give or take a millionth, it counts as the one that came.
        `max_error`: an int from 0 to 255; the largest difference, up or down, of any byte of `frames` to the same byte
        of the frames asked for. Here every row and column counts.

    Raises:
        ValueError: `frames` and `film` have pictures of different shapes, or there are not as many indices as frames.
    """
    if frames.shape[1:] != film.shape[1:]:
        raise ValueError(f"pictures of one shape are needed, got {frames.shape[1:]} and {film.shape[1:]}")
    if len(indices) != len(frames):
        raise ValueError(f"{len(indices)} frames were asked for, and {len(frames)} came")
    asked = np.asarray(indices)  # (N,)
    units = []
    for pictures in (frames, film):
        grey = pictures[:, ::step, ::step].mean(axis=-1).reshape(len(pictures), -1)  # (T, pixels)
        grey = grey - grey.mean(axis=1, keepdims=True)
        units.append(grey / np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-6))
    likeness = units[0] @ units[1].T  # (N, M)
    own = likeness[np.arange(len(asked)), asked]  # (N,)
    numbers = np.where(own >= likeness.max(axis=1) - 1e-6, asked, likeness.argmax(axis=1))
    difference = np.abs(frames.astype(np.int16) - film[asked])  # (N, H, W, 3)
    return Proof(numbers.tolist(), int(difference.max()))
