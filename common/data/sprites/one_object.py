"""Two seconds of one object at four frames a second: what phases 3 and 4 learn pictures and clips from.

Every second clip shows a large object before a still camera (`SoloSprites`), which is easily read and learned; the
others come from the whole world of one object, with small ones and a camera that pans and zooms.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from common.data.sprites.attributes import MOTIONS, SpriteScene
from common.data.sprites.render import SpriteBatch
from common.data.sprites.solo import SoloSprites, draw
from common.data.sprites.world import SpriteData

NUM_FRAMES, SIZE = 9, 64
SPLITS = ("train", "test")


@dataclass(frozen=True)
class OneObject:
    """Clips of one object by number. An even one comes from `SoloSprites`, an odd one from `SpriteData`.

    Attributes:
        split: `train` or `test`.
        num_frames, size: of the clips.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers.

        Raises:
            ValueError: a number is negative.
        """
        worlds = SoloSprites(self.split, motions=MOTIONS), SpriteData(self.split, num_objects=1)
        return [worlds[int(index) % 2].scenes([int(index) // 2])[0] for index in indices]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The clips with these numbers, uint8 `(B, 3, T, size, size)`; it raises the same."""
        return draw(self.scenes(indices), self.num_frames, self.size)
