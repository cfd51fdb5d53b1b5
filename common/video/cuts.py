"""Where one shot ends and the next begins, and a film split into its shots: the exercises of lab 01.4."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

from common.video.reader import VideoReader
from common.video.writer import write

DETECTION_SIZE = 36  # rows of the small pictures in which cuts are looked for: shots differ in the large
FEATURE_WEIGHT = 4.0  # at a cut the feature distance is about a quarter of the histogram distance


def colour_histograms(frames: np.ndarray, bins: int = 8) -> np.ndarray:
    """How much of each frame is how red, how green and how blue, wherever it is in the picture.

    On each channel lie `bins` levels, evenly from 0 to 255: the value v stands at `v * (bins - 1) / 255`, counted in
    levels. A value between two levels is shared out between them, the nearer one getting more: 2.25 counts for level 2
    with 0.75 and for level 3 with 0.25. So when a picture grows lighter little by little, its histogram changes little
    by little too.

    Args:
        frames: uint8 (T, H, W, 3), in any memory layout.
        bins: Levels per channel, from 2 to 256.

    Returns:
        float32 (T, 3, bins), the fraction of the frame at each level of red, of green and of blue: along the last
        axis, everything sums to 1.

    Raises:
        ValueError: `frames` is not uint8 (T, H, W, 3), or `bins` is out of its range.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    if not 2 <= bins <= 256:
        raise ValueError(f"bins must be from 2 to 256, got {bins}")
    num_frames, height, width, _ = frames.shape
    position = frames.astype(np.float32) * ((bins - 1) / 255)  # (T, H, W, 3)
    below = np.minimum(position.astype(np.int64), bins - 2)  # the level below, never the last one
    share = position - below  # of the level above
    # One count for all frames and channels: the places of frame t and channel c begin at (3 t + c) bins.
    place = below + bins * (3 * np.arange(num_frames).reshape(-1, 1, 1, 1) + np.arange(3))
    num_places = num_frames * 3 * bins
    counts = np.bincount(place.ravel(), (1 - share).ravel(), minlength=num_places)
    counts += np.bincount((place + 1).ravel(), share.ravel(), minlength=num_places)
    return (counts.reshape(num_frames, 3, bins) / (height * width)).astype(np.float32)


def block_features(frames: np.ndarray, grid: int = 4) -> np.ndarray:
    """What a frame looks like, roughly and by place: colour and edges in each block of a coarse grid.

    The block in row i and column j of the grid covers the rows `i * H // grid` up to, not including,
    `(i + 1) * H // grid`, and the columns likewise. Of each block five means are taken, of values scaled to 0 to 1:

        0, 1, 2   red, green, blue
        3         how much the grey value (the mean of the three) changes to the pixel on the right, absolute
        4         the same to the pixel below

    In the last column nothing lies to the right, in the last row nothing below: the change there counts as 0.

    Args:
        frames: uint8 (T, H, W, 3), H and W at least `grid`, in any memory layout.
        grid: Blocks along each side, at least 1.

    Returns:
        float32 (T, grid * grid * 5), values 0 to 1: block after block in reading order, five numbers each.

    Raises:
        ValueError: `frames` is not uint8 (T, H, W, 3), or `grid` is below 1 or above H or W.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
    _, height, width, _ = frames.shape
    if not 1 <= grid <= min(height, width):
        raise ValueError(f"grid must be from 1 to {min(height, width)} for {width} x {height} pixels, got {grid}")
    pixels = frames.astype(np.float32) / 255  # (T, H, W, 3)
    grey = pixels.mean(axis=-1)  # (T, H, W)
    to_the_right = np.abs(np.diff(grey, axis=2, append=grey[:, :, -1:]))
    below = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    values = np.concatenate([pixels, to_the_right[..., None], below[..., None]], axis=-1)  # (T, H, W, 5)
    rows = [i * height // grid for i in range(grid + 1)]
    columns = [j * width // grid for j in range(grid + 1)]
    blocks = [
        values[:, top:bottom, left:right].mean(axis=(1, 2))  # (T, 5)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]
    return np.concatenate(blocks, axis=-1)


def frame_descriptors(frames: np.ndarray) -> np.ndarray:
    """Both descriptions of each frame in one vector, scaled so that differences are ready to be added up.

    The sum of the absolute differences of two descriptors is the histogram distance plus `FEATURE_WEIGHT` times the
    feature distance. The histogram distance is half the sum of absolute differences, averaged over the channels: the
    part of the picture, from 0 to 1, that changed its level. The feature distance is the mean absolute difference.

    Args:
        frames: uint8 (T, H, W, 3).

    Returns:
        float32 (T, D).
    """
    histograms, features = colour_histograms(frames), block_features(frames)
    by_colour = histograms.reshape(len(frames), -1) / 6  # half, and a third for each channel
    by_place = features * (FEATURE_WEIGHT / features.shape[-1])
    return np.concatenate([by_colour, by_place], axis=-1)


def find_cuts(descriptors: np.ndarray, *, window: int = 4, ratio: float = 2.5, floor: float = 0.2) -> list[int]:
    """The frames at which a new shot begins: those before differ from those after, and far more than among themselves.

    The distance of two frames is the sum of the absolute differences of their descriptors. For a frame t, the frames
    before are the last `window` ones up to t - 1, and those after are t and what follows, `window` in all (fewer at the
    ends of the film). Then

        between   the smallest distance of any frame before to any frame after,
        within    the largest distance of two neighbours before (0 if there is one frame only), and the same after;
                  the mean of these two numbers,

    and a cut is at t where `between > floor` and `between > ratio * within`. So a flash shorter than `window` is none
    (the picture comes back: between is small), and neither are fades, dissolves and fast motion (within is large).

    Args:
        descriptors: float (T, D), one row per frame, as `frame_descriptors` gives them, in any memory layout. T
            may be 0.
        window: Frames to look at on either side, at least 1. With 1, within is 0 and the floor alone decides.
        ratio: How many times larger between has to be than within, at least 2: below that, the first frame of a sudden
            movement would pass, and two cuts could be found closer together than `window`.
        floor: What between has to exceed in any case, at least 0.

    Returns:
        Frame numbers, rising. Frame 0 is never among them: nothing comes before it.

    Raises:
        ValueError: `descriptors` has not two axes, or `window`, `ratio` or `floor` is out of its range.
    """
    if descriptors.ndim != 2:
        raise ValueError(f"descriptors must be (T, D), got {descriptors.shape}")
    if window < 1 or ratio < 2 or floor < 0:
        raise ValueError(f"window >= 1, ratio >= 2 and floor >= 0 are needed, got {window}, {ratio} and {floor}")
    num_frames = len(descriptors)
    between = np.full(num_frames, np.inf)
    step = np.zeros(num_frames)  # from the frame before
    for gap in range(1, 2 * window):
        distance = np.abs(descriptors[gap:] - descriptors[:-gap]).sum(axis=-1)  # (T - gap,) frame i to frame i + gap
        if gap == 1:
            step[1:] = distance
        for back in range(max(1, gap - window + 1), min(window, gap) + 1):  # i = t - back, and i + gap < t + window
            here = slice(back, back + len(distance))
            between[here] = np.minimum(between[here], distance)
    before, after = np.zeros(num_frames), np.zeros(num_frames)
    for away in range(1, window):
        before[away:] = np.maximum(before[away:], step[:-away])
        after[:-away] = np.maximum(after[:-away], step[away:])
    within = (before + after) / 2
    is_cut = (between > floor) & (between > ratio * within)
    is_cut[:1] = False
    return np.flatnonzero(is_cut).tolist()


def detect_cuts(path, *, window: int = 4, ratio: float = 2.5, floor: float = 0.2, chunk: int = 64) -> list[int]:
    """The cuts of a video file, in one pass and in memory that does not grow with its length.

    Frames are read small, described (`frame_descriptors`) and dropped; of the descriptors, those are kept that the next
    decisions need. The result is what `find_cuts` says of all descriptors at once.

    Args:
        path: A video file.
        window: See `find_cuts`, like `ratio` and `floor`.
        ratio: See there.
        floor: See there.
        chunk: Frames to read at a time, at least 1. Changes nothing but speed and memory.

    Returns:
        Numbers of the frames at which a new shot begins, rising.

    Raises:
        VideoError: the file cannot be read (a kind of ValueError).
        ValueError: an argument is out of its range.
    """
    cuts, kept = [], None
    first = decided = 0  # number of the first frame kept; of the first frame not decided on yet
    with VideoReader(path) as reader:
        for frames in reader.stream(chunk=chunk, size=DETECTION_SIZE):
            new = frame_descriptors(frames)
            kept = new if kept is None else np.concatenate([kept, new])
            end = first + len(kept)
            ready = end if end == len(reader) else max(decided, end - window + 1)  # all their frames after are there
            found = find_cuts(kept, window=window, ratio=ratio, floor=floor)
            cuts += [first + t for t in found if decided <= first + t < ready]
            decided = ready
            drop = max(0, decided - window - first)
            kept, first = kept[drop:], first + drop
    return cuts


def shot_ranges(cuts: Iterable[int], num_frames: int) -> list[tuple[int, int]]:
    """The shots between the cuts: every frame is in exactly one of them.

    Args:
        cuts: Numbers of the frames at which a new shot begins, rising, each from 1 to `num_frames - 1`.
        num_frames: Frames in the film, at least 1.

    Returns:
        (start, stop) of each shot, in order: its frames are start, start + 1, ..., stop - 1.

    Raises:
        ValueError: `num_frames` is below 1, or the cuts do not rise, or one lies outside the film.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    edges = [0, *(int(cut) for cut in cuts), num_frames]
    for start, stop in pairwise(edges):
        if start >= stop:
            raise ValueError(f"cuts must rise from at least 1 to at most {num_frames - 1}, got {start} before {stop}")
    return list(pairwise(edges))


def split_film(path, cuts: Iterable[int], folder) -> list[Path]:
    """Writes each shot of a film to a file of its own, without loss: read back, its frames are the film's to the bit.

    The files are `shot_000.mkv`, `shot_001.mkv`, ... in FFV1, which keeps every byte and takes its room for it: about
    3 MB for a second of 640x360. Each shot's first frame appears at 0.0 s, the others as far behind it as in the film.
    Only a few frames are in memory at a time, however long a shot is, and the film is closed at the end.

    Args:
        path: A video file, as a `Path` or as text.
        cuts: Numbers of the frames at which a new shot begins (`detect_cuts`); see `shot_ranges`.
        folder: Where to, as a `Path` or as text; made, with its parents, if it is not there. What else it holds stays.

    Returns:
        The files, as `Path`s, in the order of the film.

    Raises:
        ValueError: the cuts do not fit the film (`shot_ranges`). Nothing is written then.
        VideoError: the film cannot be read, or a file cannot be written (a kind of ValueError).
    """
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for start, stop in ranges:
            pictures = (picture for frames in reader.stream(start, stop) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{len(files):03}.mkv"
            files.append(write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times))
    return files
