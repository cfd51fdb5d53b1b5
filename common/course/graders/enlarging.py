"""Doubles and oracles of lab 04.4: linear interpolation as a matrix, a flow that is one formula, profiles of edges."""

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

import torch

from common.course.graders.stand_ins import Keeps
from common.course.graders.values import noise, uniform


def linear_weights(length: int, factor: int, corners: bool = False, nearest: bool = False) -> torch.Tensor:
    """The matrix `(length * factor, length)` of linear interpolation, float64.

    Args:
        length: of the small axis.
        factor: how many times as long the large one is.
        corners: the first and the last place stay where they are; else the pixels' middles are in register.
        nearest: each place is repeated instead.
    """
    made = torch.zeros(length * factor, length, dtype=torch.float64)
    for i in range(length * factor):
        place = i * (length - 1) / max(length * factor - 1, 1) if corners else (i + 0.5) / factor - 0.5
        place = float(i // factor) if nearest else min(max(place, 0.0), length - 1.0)
        low = int(place)
        made[i, low] += 1 - (place - low)
        made[i, min(low + 1, length - 1)] += place - low
    return made


class ConditionedFlow(Keeps, logs=("calls",)):
    """A velocity that is one formula of all four inputs, as `.sample`. It remembers the timesteps of its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, x, timestep, condition, condition_timestep):
        self.calls.append((timestep, condition_timestep))
        s, a = (torch.as_tensor(v).double().reshape(-1, 1, 1, 1, 1) / 1000 for v in (timestep, condition_timestep))
        v = (0.6 + 0.8 * s * s) * x.double() - (0.5 + s) * condition.double() + 0.7 * (a - s)
        return SimpleNamespace(sample=v.to(x.dtype))


def edges(seed: int, count: int = 6, width: int = 14, ringing: float = 0.0) -> torch.Tensor:
    """Profiles `(count, width)` across smooth edges of several widths and places; every second one falls.

    Args:
        seed: of the widths, places, contrasts and brightnesses.
        count, width: how many, and of how many pixels.
        ringing: how far they swing on both sides of the edge.
    """
    x = torch.arange(width) - uniform(seed, count, 1, low=5, high=width - 6)
    rise = uniform(seed + 1, count, 1, low=0.3, high=2.0)
    shape = torch.sigmoid(2.2 * x / rise) + ringing * torch.sin(1.9 * x) * torch.exp(-0.25 * x.abs())
    gain = uniform(seed + 2, count, 1, low=0.5, high=2) * torch.where(torch.arange(count)[:, None] % 2 == 0, 1, -1)
    return gain * shape + noise(seed + 3, count, 1)


def rises(
    profiles: torch.Tensor, low: float = 0.1, high: float = 0.9, *, ends: Callable = lambda p: (p[0], p[-1]),
    first_low: bool = False, last_high: bool = False, whole: bool = False,
) -> torch.Tensor | None:  # fmt: skip
    """Oracle of the 10–90 % rise, profile by profile and pixel by pixel, `(N,)` float64; and ways to do it wrong.

    A wrong way that finds no edge gives None.

    Args:
        profiles: `(N, W)`.
        low, high: the heights.
        ends: of a profile, the values that count as 0 and 1.
        first_low: begin at the first crossing of `low`, not at the last before the end.
        last_high: end at the last crossing of `high`.
        whole: whole pixels.
    """
    found = []
    for profile in profiles.double().tolist():
        tops = crossing_places(profile, high, ends(profile), whole)
        top = tops[-1 if last_high else 0] if tops else 0.0
        bottoms = [place for place in crossing_places(profile, low, ends(profile), whole) if place <= top]
        if not bottoms:
            return None
        found.append(top - bottoms[0 if first_low else -1])
    return torch.tensor(found, dtype=torch.float64)


def extremes(profile: list[float]) -> tuple[float, float]:
    """The smallest and the largest value, the one of the first side first: what are no ends of a profile that rings."""
    low, high = min(profile), max(profile)
    return (low, high) if profile[-1] > profile[0] else (high, low)


def crossing_places(profile: list[float], level: float, ends: tuple[float, float], whole: bool = False) -> list[float]:
    """Where straight lines from pixel to pixel cross a level of the profile's height, in order.

    Args:
        profile: its values.
        level: from 0, at the first of `ends`, to 1, at the second.
        ends: the values that count as 0 and 1.
        whole: give the pixel after each crossing instead.
    """
    heights, found = [(value - ends[0]) / (ends[1] - ends[0]) for value in profile], []
    for k, (a, b) in enumerate(pairwise(heights)):
        if (a < level) != (b < level):
            found.append(k + (1 if whole else (level - a) / (b - a)))
    return found
