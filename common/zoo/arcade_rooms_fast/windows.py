"""Windows of `rooms` for a student: half of them end behind a door, a quarter a few frames after one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from common.data.arcade import ActionBatch, Recording
from common.data.arcade.dice import Dice
from common.data.arcade.tiles import HAS_KEY, NO_KEY, PALETTE, TILES
from common.zoo.arcade_rooms.windows import EventWindows

KEY_PIXEL = tuple(map(int, np.argwhere(TILES[HAS_KEY] != TILES[NO_KEY])[0]))  # tells whether the HUD holds the key
KEY_COLOR = torch.from_numpy(PALETTE[TILES[HAS_KEY][KEY_PIXEL]].copy())  # (3,)


@dataclass(frozen=True, eq=False)
class DoorWindows:
    """Windows by number; the same number gives the same window.

    Attributes:
        recording: plays of `rooms`.
        length: frames in a window.
    """

    recording: Recording
    length: int

    @property
    def key(self) -> str:
        """What is drawn, in words."""
        return f"{self.recording.key}, windows of {self.length}, half end behind a door, a quarter soon after"

    @cached_property
    def doors(self) -> np.ndarray:
        """Play and first frame of every window that ends behind a door: int64 `(D, 2)`."""
        places = np.argwhere(EventWindows(self.recording, self.length).doors) - [0, self.length - 2]
        return places[places[:, 1] >= 0]

    def batch(self, indices) -> ActionBatch:
        """The windows of these numbers, of `length` frames each."""
        return self.recording.windows([self._place(int(index)) for index in indices], self.length)

    def _place(self, index: int) -> tuple[int, int]:
        dice, (num_plays, num_frames) = Dice(index, 6), self.recording.frames.shape[:2]
        kind, last = index % 4, num_frames - self.length
        if kind < 3 and len(self.doors):
            number, first = map(int, dice.choice(self.doors))
            return number, first if kind < 2 else min(first + 1 + dice.below(4), last)
        return dice.below(num_plays), dice.below(last + 1)


def opens(batch: ActionBatch) -> torch.Tensor:
    """Which windows end behind a door: the HUD's key is used up in the last step. Bool `(B,)`."""
    row, column = KEY_PIXEL
    color = KEY_COLOR.to(batch.pixels.device)
    has_key = (batch.pixels[:, :, -2:, row, column] == color[:, None]).all(dim=1)  # (B, 2)
    return has_key[:, 0] & ~has_key[:, 1]
