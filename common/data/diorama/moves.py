"""The camera's moves: their names, their speeds, and which of them are never trained on.

A move has a constant speed, and its sign is its direction. Lengths are in distances from the first camera to the
background, so the background is at depth 1. Angles are in degrees, times in seconds.
"""

from dataclasses import astuple, dataclass

import torch

MOVES = ("truck", "dolly", "pan", "tilt", "zoom", "orbit")
TURNS = ("pan", "tilt", "orbit")  # those that turn the camera; its axes then differ from the first camera's

# Direction of a positive and of a negative speed.
WAYS = {
    "truck": ("right", "left"),
    "dolly": ("in", "out"),
    "pan": ("right", "left"),
    "tilt": ("up", "down"),
    "zoom": ("in", "out"),
    "orbit": ("right", "left"),
}

# Slowest and fastest speed of a move that is alone. In a mixture of two both are slower by `MIXED`.
SPEEDS = {
    "truck": (0.05, 0.16),
    "dolly": (0.04, 0.12),
    "pan": (3.0, 10.0),
    "tilt": (3.0, 10.0),
    "zoom": (0.1, 0.3),
    "orbit": (5.0, 13.0),
}
MIXED = 0.6

# Never trained on: three pairs, each move in one of them, and a band of each move's speeds, as parts of its range.
HELD_OUT_PAIRS = (("truck", "zoom"), ("dolly", "pan"), ("tilt", "orbit"))
HELD_OUT_BAND = (0.45, 0.6)


@dataclass(frozen=True)
class CameraMove:
    """What the camera does: the speed of each of `MOVES`, 0 where it does not.

    Attributes:
        truck: distances per second that the camera slides to the right.
        dolly: distances per second that it rolls forward.
        pan: degrees per second that it turns to the right.
        tilt: degrees per second that it turns upward.
        zoom: logarithm of the focal length's factor per second: ln 2 doubles it each second.
        orbit: degrees per second that it goes round the middle of the scene, to its right, always looking at it.
    """

    truck: float = 0.0
    dolly: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    orbit: float = 0.0

    @property
    def speeds(self) -> torch.Tensor:
        """The speeds in the order of `MOVES`, float64 `(6,)`."""
        return torch.tensor(astuple(self), dtype=torch.float64)

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The moves that are made, each with its direction, such as `(("truck", "left"), ("zoom", "in"))`."""
        return tuple((move, WAYS[move][getattr(self, move) < 0]) for move in MOVES if getattr(self, move))


def speed_range(move: str, part: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
    """The slowest and the fastest speed of a move that is alone, or of a part of that range."""
    slow, fast = SPEEDS[move]
    return slow + (fast - slow) * part[0], slow + (fast - slow) * part[1]


def is_held_out(camera: CameraMove) -> bool:
    """Whether two moves are mixed that are never trained on together, or one has a speed that is never trained on."""
    made = tuple(move for move, _ in camera.words)
    return made in HELD_OUT_PAIRS or any(_in_band(move, abs(getattr(camera, move))) for move in made)


def _in_band(move: str, speed: float) -> bool:
    low, high = speed_range(move, HELD_OUT_BAND)
    return low <= speed <= high
