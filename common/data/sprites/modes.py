"""A corner of the sprites' world whose modes can be counted: one large object that moves straight over black.

Every combination of shape, colour and direction is equally frequent, and none of them is held out from training
anywhere else. A generative model that has learned this world shows all of them; one that has collapsed does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import torch

from common.data.sprites.attributes import FPS, ObjectWords, SceneWords, SpriteScene
from common.data.sprites.dice import Dice
from common.data.sprites.render import render
from common.data.sprites.scenes import scene_of
from common.tensor_ops import from_uint8

SHAPES = ("circle", "cross")
COLORS = ("red", "yellow", "green", "blue", "white")
MOTIONS = ("left", "right", "up", "down")
BACKGROUND = ("field", "black")
EVERY = 2  # of the world's frames one is kept
SPLITS = ("train", "test")
CHOICES = 2**62  # the key of the draws of modes


@dataclass(frozen=True)
class ModeData:
    """Clips of this corner by number, at 4 frames a second. There is no last one.

    Attributes:
        num_frames, size: of the clips.
        split: `train` or `test`: the same modes, other places, paths and speeds.
    """

    num_frames: int = 6
    size: int = 20
    split: str = "train"

    fps = FPS // EVERY

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        if self.num_frames < 1 or self.size < 1:
            raise ValueError(f"nothing to draw: num_frames={self.num_frames}, size={self.size}")

    @property
    def key(self) -> str:
        """The name of the world, for the checkpoints of a training run."""
        return f"sprite modes, {self.split}, {self.num_frames}x{self.size}"

    @property
    def modes(self) -> tuple[tuple[str, str, str], ...]:
        """Every mode: shape, colour, motion. There are 40."""
        return tuple(product(SHAPES, COLORS, MOTIONS))

    def mode(self, index: int) -> tuple[str, str, str]:
        """What the clip with this number shows; each mode is as likely as the others."""
        return Dice(self._number(index), CHOICES).choice(self.modes)

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers."""
        return [self._scene(int(index)) for index in indices]

    def batch(self, indices: Iterable[int]) -> torch.Tensor:
        """The clips with these numbers, uint8 `(B, 3, T, H, W)`."""
        pixels = render(self.scenes(indices), EVERY * (self.num_frames - 1) + 1, self.size).pixels
        return pixels[:, :, ::EVERY].contiguous()

    def clips(self, indices: Iterable[int]) -> torch.Tensor:
        """The same as floats in [-1, 1]."""
        return from_uint8(self.batch(indices))

    def _scene(self, index: int) -> SpriteScene:
        shape, color, motion = self.mode(index)
        words = SceneWords((ObjectWords(shape, color, "large", motion),), *BACKGROUND)
        return scene_of(words, self._number(index))

    def _number(self, index: int) -> int:
        if index < 0:
            raise ValueError(f"a clip's number is not negative, got {index}")
        return len(SPLITS) * index + SPLITS.index(self.split)
