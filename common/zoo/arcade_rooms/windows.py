"""Windows of `rooms` in which things happen: rare events are drawn more often than they come.

A coin, a key and a door change the HUD in 4 of 100 frames. A window by chance hardly ever ends in one, so a quarter of
the windows is chosen to.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.data.arcade import ActionBatch, Recording, arcade_recording
from common.data.arcade.dice import Dice
from common.data.arcade.tiles import HAS_KEY, NO_KEY, TILE, TILES

EVENT_PART = 4  # one window in so many ends in a frame in which the HUD changed


@dataclass(frozen=True, eq=False)
class EventWindows:
    """Windows by number; the same number gives the same window.

    Attributes:
        recording: plays of `rooms`.
        length: frames in a window.
        num_own: the frames before the last one that a model is going to make itself. No door opens in them,
            since the room behind it would be another one.
    """

    recording: Recording
    length: int
    num_own: int = 0

    @property
    def key(self) -> str:
        """What is drawn, in words."""
        return f"{self.recording.key}, windows of {self.length}, {self.num_own} own, 1 in {EVENT_PART} by events"

    @cached_property
    def changes(self) -> np.ndarray:
        """Where the HUD changes from one frame to the next: bool `(N, T - 1)`."""
        hud = self.recording.frames[:, :, :TILE]  # (N, T, 8, 64), numbers of the palette
        return (hud[:, 1:] != hud[:, :-1]).any(axis=(2, 3))

    @cached_property
    def doors(self) -> np.ndarray:
        """Where a key was used up: bool `(N, T - 1)`."""
        place = np.argwhere(TILES[HAS_KEY] != TILES[NO_KEY])[0]  # a pixel that tells the two apart
        has_key = self.recording.frames[:, :, place[0], place[1]] == TILES[HAS_KEY][tuple(place)]
        return has_key[:, :-1] & ~has_key[:, 1:]

    @cached_property
    def events(self) -> np.ndarray:
        """Play and first frame of every window that ends with a change of the HUD: int64 `(E, 2)`."""
        places = np.argwhere(self.changes)  # frame t to frame t + 1, which is the last of its window
        places[:, 1] -= self.length - 2
        return places[places[:, 1] >= 0]

    def batch(self, indices) -> ActionBatch:
        """The windows of these numbers, of `length` frames each."""
        return self.recording.windows([self._place(int(index)) for index in indices], self.length)

    def _place(self, index: int) -> tuple[int, int]:
        dice = Dice(index, 5)
        num_plays, num_frames = self.recording.frames.shape[:2]
        by_event = dice.one_in(EVENT_PART) and len(self.events) > 0
        while True:
            if by_event:
                number, first = map(int, dice.choice(self.events))
            else:
                number, first = dice.below(num_plays), dice.below(num_frames - self.length + 1)
            own = slice(first + self.length - 2 - self.num_own, first + self.length - 2)
            if not self.doors[number, own].any():
                return number, first


def rooms_windows(num_frames: int, length: int, num_own: int = 0, split: str = "train") -> EventWindows:
    """Windows of as many frames of `rooms`, played by the mixed player."""
    return EventWindows(arcade_recording("rooms", num_frames, split), length, num_own)
