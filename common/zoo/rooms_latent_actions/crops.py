"""Where something happens: crops of windows of frames around a pixel that changes, whatever it is that moves there."""

from dataclasses import dataclass, replace

import numpy as np

from common.data.arcade import ActionBatch, Recording
from common.data.arcade.dice import Dice

SIDE, GRID = 24, 4  # of a crop; its corner is on a grid of so many pixels, as the model's coarse grid is


@dataclass(frozen=True, eq=False)
class ChangeCrops:
    """Windows of a recording by number, cropped; the same number gives the same crop.

    The crop's middle is at a random one of the pixels that change in the last step. Where none changes, it is anywhere.
    Three quarters of a frame stand still, and this leaves most of that out: a fourth of the work per sample.

    Attributes:
        recording: plays of a game of 64×64 pixels with a palette.
    """

    recording: Recording

    @property
    def key(self) -> str:
        """What is drawn, in words."""
        return f"{self.recording.key}, windows of {self.recording.window}, crops of {SIDE} where something changes"

    def batch(self, indices) -> ActionBatch:
        """The crops of these numbers."""
        indices = [int(index) for index in indices]
        whole = self.recording.batch(indices)
        changed = (whole.pixels[:, :, -1] != whole.pixels[:, :, -2]).any(dim=1).numpy()  # (B, H, W)
        corners = [corner(Dice(index, 8), one) for index, one in zip(indices, changed)]
        crops = [one[..., y : y + SIDE, x : x + SIDE] for one, (y, x) in zip(whole.pixels, corners)]
        return replace(whole, pixels=whole.pixels.new_tensor(np.stack(crops)))


def corner(dice: Dice, changed: np.ndarray) -> tuple[int, int]:
    """Row and column of the upper left corner of a crop.

    Args:
        dice: chooses the pixel in its middle.
        changed: bool `(H, W)`.
    """
    places = np.argwhere(changed)
    height, width = changed.shape
    row, column = dice.choice(places) if len(places) else (dice.below(height), dice.below(width))
    ends = (min(max(int(middle) - SIDE // 2, 0), size - SIDE) for middle, size in ((row, height), (column, width)))
    return tuple(end // GRID * GRID for end in ends)
