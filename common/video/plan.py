"""Where a decoder has to start for the wanted frames: an exercise of lab 01.1."""

from bisect import bisect_right
from collections.abc import Sequence


def decode_runs(indices: Sequence[int], keyframes: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Groups wanted frames into runs, so that each run is decoded in one go and no frame is decoded twice.

    A decoder can start only at a keyframe, and has to decode every frame from there to the wanted one. A frame belongs
    to the last keyframe that is not later than the frame. All wanted frames of one keyframe form one run.

    Args:
        indices: Wanted frame numbers, from 0 on, in any order; repeats are allowed.
        keyframes: Numbers of the frames at which decoding can start, rising, the first one 0.

    Returns:
        A pair for each run, in the order of the film: the number of its keyframe, and the wanted frames that belong to
        it, rising and without repeats. A keyframe that no one needs has no run. Without indices there is none at all.

    Raises:
        ValueError: an index is below 0, or the keyframes do not begin with 0.
    """
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {list(keyframes)[:5]}")
    wanted = sorted({int(index) for index in indices})
    if wanted and wanted[0] < 0:
        raise ValueError(f"frame numbers must be at least 0, got {wanted[0]}")
    runs = []
    for number in wanted:
        keyframe = keyframes[bisect_right(keyframes, number) - 1]
        if not runs or runs[-1][0] != keyframe:
            runs.append((keyframe, []))
        runs[-1][1].append(number)
    return runs
