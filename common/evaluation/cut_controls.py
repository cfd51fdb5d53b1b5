"""What to compare a detector of cuts with: the best plain threshold, two broken ideas, and a count of what is lost."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from common.evaluation.cuts import cut_scores


def best_floor(find: Callable, descriptors: np.ndarray, true: Iterable[int], *, tries: int = 200) -> float:
    """The threshold with the best F1 on this very film: more than a plain threshold could get in earnest.

    Args:
        find: `common.video.cuts.find_cuts`, or one like it: with a window of 1 the floor alone decides.
        descriptors: (T, D).
        true: the true cuts.
        tries: floors that are tried, evenly from 0.01 to 2.
    """
    true = list(true)
    floors = np.linspace(0.01, 2, tries)
    return float(max(floors, key=lambda floor: cut_scores(find(descriptors, window=1, floor=floor), true)[2]))


def blurred_in_time(descriptors: np.ndarray, num_frames: int = 8) -> np.ndarray:
    """Negative control: every descriptor becomes the mean over `num_frames` frames, so that no border is sharp."""
    half = num_frames // 2
    return np.stack([descriptors[max(0, t - half) : t + half].mean(axis=0) for t in range(len(descriptors))])


def hard_histograms(frames: np.ndarray, bins: int = 8) -> np.ndarray:
    """Negative control: the usual histogram (T, 3, bins) of uint8 frames; every value falls into one bin, whole."""
    level = frames.astype(np.int64) * bins // 256
    return np.stack([(level == i).mean(axis=(1, 2)) for i in range(bins)], axis=-1)


def split_errors(shots: Sequence[np.ndarray], ranges: Sequence[tuple[int, int]], film: np.ndarray) -> tuple[int, int]:
    """Frames too many or too few, and the largest difference of any byte, over the shots of a film.

    Args:
        shots: what was cut out, uint8 (t, H, W, 3) each.
        ranges: (start, stop) of each shot in the film.
        film: uint8 (T, H, W, 3).
    """
    off, worst = 0, 0
    for frames, (start, stop) in zip(shots, ranges):
        wanted = film[start : start + len(frames)]
        off += abs(len(frames) - (stop - start))
        worst = max(worst, int(np.abs(frames[: len(wanted)].astype(np.int16) - wanted).max()))
    return off, worst
