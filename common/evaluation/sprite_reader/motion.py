"""The motion of an object: the world's own laws of motion, each tried with all its speeds, and the best is named."""

from functools import lru_cache

import numpy as np

from common.data.sprites.attributes import FPS, MOTIONS
from common.data.sprites.paths import frame_times, world_path
from common.data.sprites.scenes import REACHES, SPEEDS

SLACK = 0.15  # part by which the world's ranges are widened
OFF = 0.05  # root mean square distance to the best path, heights, above which no law fits
CLIPPED = 0.12  # distance above which a frame is not worse than wrong
GROWTH = 0.35  # heights that count as much as a doubled radius


@lru_cache(maxsize=8)
def laws(num_frames: int, fps: float = FPS):
    """Every path to try, of a unit speed or reach where the path is proportional to it.

    Returns:
        paths `(N, T, 3)`: x, y and growth since the first frame; the least and the largest factor of each, `(N, 2)`;
        the number of its motion, `(N,)`.
    """
    times = frame_times(num_frames) * FPS / fps
    paths, limits, numbers = [], [], []
    for number, motion in enumerate(MOTIONS):
        low, high = _wide(REACHES.get(motion) or SPEEDS.get(motion) or (0.0, 0.0))
        speeds, phases = np.ones(1), np.zeros(1)
        if motion in REACHES:  # proportional to the reach, not to the speed
            speeds, phases = np.linspace(*_wide(SPEEDS[motion]), 9), np.arange(24) / 24
        if motion == "orbit":
            speeds = np.concatenate([speeds, -speeds])
        for speed in speeds:
            for phase in phases:
                x, y, growth = world_path(motion, times, 0.0, 0.0, speed, 1.0, phase)
                paths.append(np.stack([x, y, GROWTH * (growth - 1)], axis=-1))
                limits.append((low, high))
                numbers.append(number)
    return np.array(paths), np.array(limits), np.array(numbers)


def read_motion(places: np.ndarray, growth: np.ndarray, weights: np.ndarray, fps: float = FPS):
    """The motion's word, and where that motion says the object is.

    Args:
        places: `(T, 2)`, in the world, heights.
        growth: `(T,)`: the radius in the world, over that of the first frame.
        weights: `(T,)`, in [0, 1]: how much each frame is to be believed.

    Returns:
        The word or None; places `(T, 2)` and growth `(T,)` of the best path.
    """
    if (weights > 0).sum() < 3:
        return None, places, growth
    paths, limits, numbers = laws(len(places), fps)
    target = np.concatenate([places, GROWTH * (growth - 1)[:, None]], axis=1)  # (T, 3)
    share = np.where(weights > 0, weights, 0.0)
    for _ in range(3):
        share = share / share.sum()
        middles, middle = np.einsum("t,ntc->nc", share, paths), share @ target
        ways, way = paths - middles[:, None], target - middle  # about their means
        factors = np.einsum("t,ntc,tc->n", share, ways, way)
        factors = factors / np.maximum(np.einsum("t,ntc,ntc->n", share, ways, ways), 1e-9)
        factors = np.clip(factors, *limits.T)
        off = np.square(way - factors[:, None, None] * ways).sum(axis=-1)  # (N, T)
        best = int((np.minimum(off, CLIPPED**2) @ share).argmin())
        share = np.where(off[best] < CLIPPED**2, share, share * 0.05)  # the others agree without these frames
    fitted = middle + factors[best] * ways[best]
    fits = np.sqrt(np.minimum(off[best], CLIPPED**2) @ (weights / weights.sum())) < OFF
    return MOTIONS[numbers[best]] if fits else None, fitted[:, :2], 1 + fitted[:, 2] / GROWTH


def _wide(limits: tuple[float, float]) -> tuple[float, float]:
    return limits[0] * (1 - SLACK), limits[1] * (1 + SLACK)
