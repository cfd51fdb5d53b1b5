"""Windows of `catch` in which things happen: a ball's end and a serve are drawn more often than they come.

A ball ends in 4 of 100 frames, and the next one is served in as many. Yet a dream that misses a single serve has no
ball any more, so a quarter of the windows is chosen to end in one of the two.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.data.arcade import ActionBatch, Recording, arcade_recording
from common.data.arcade.catch import BALL, FIRST_ROW, LAST_ROW, RED, WHITE
from common.data.arcade.dice import Dice

EVENT_PART = 4  # one window in so many


@dataclass(frozen=True, eq=False)
class CatchWindows:
    """Windows by number; the same number gives the same window.

    Attributes:
        recording: plays of `catch`.
        length: frames in a window.
    """

    recording: Recording
    length: int

    @property
    def key(self) -> str:
        """What is drawn, in words."""
        return f"{self.recording.key}, windows of {self.length}, 1 in {EVENT_PART} by events"

    @cached_property
    def events(self) -> np.ndarray:
        """Play and first frame of every window that ends with a ball's end or a serve: int64 `(E, 2)`."""
        top, bottom = self.recording.frames[:, :, FIRST_ROW], self.recording.frames[:, :, LAST_ROW + BALL - 1]
        happens = (top == WHITE) | (bottom == WHITE) | (bottom == RED)  # (N, T, 32)
        places = np.argwhere(happens.any(axis=2))
        places[:, 1] -= self.length - 1
        return places[places[:, 1] >= 0]

    def batch(self, indices) -> ActionBatch:
        """The windows of these numbers, of `length` frames each."""
        return self.recording.windows([self._place(int(index)) for index in indices], self.length)

    def _place(self, index: int) -> tuple[int, int]:
        dice = Dice(index, 5)
        if dice.one_in(EVENT_PART) and len(self.events):
            number, first = dice.choice(self.events)
            return int(number), int(first)
        num_plays, num_frames = self.recording.frames.shape[:2]
        return dice.below(num_plays), dice.below(num_frames - self.length + 1)


def catch_windows(num_frames: int, length: int, split: str = "train") -> CatchWindows:
    """Windows of as many frames of `catch`, played by the mixed player."""
    return CatchWindows(arcade_recording("catch", num_frames, split), length)
