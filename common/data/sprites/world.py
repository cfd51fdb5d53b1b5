"""The world as a data set: a sample is named by its number."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.data.sprites.attributes import NUM_FRAMES, SIZE
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.scenes import SPLITS, draw_scenes
from common.data.sprites.truth import SpriteTruth, truth


@dataclass(frozen=True)
class SpriteData:
    """Clips of one kind by number. There is no last one, and none has to be stored: they are drawn when asked for.

    Attributes:
        split: `train`, `test` or `held_out`, as in `draw_scene`.
        num_frames, size: of the clips.
        seed: of the world.
        num_objects: 1 or 2; if None, each half of the time.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE
    seed: int = 0
    num_objects: int | None = None

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")

    def scenes(self, indices: Iterable[int]) -> list:
        """The scenes with these numbers."""
        return draw_scenes(indices, seed=self.seed, split=self.split, num_objects=self.num_objects)

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The clips with these numbers: the same number gives the same clip, whatever it is asked for with."""
        return render(self.scenes(indices), self.num_frames, self.size)

    def truth(self, indices: Iterable[int]) -> SpriteTruth:
        """The truth about `batch(indices)`."""
        return truth(self.scenes(indices), self.num_frames, self.size)
