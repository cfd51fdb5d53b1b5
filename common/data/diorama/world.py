"""The world as a data set: a sample is named by its number."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from common.data.diorama.moves import MOVES
from common.data.diorama.render import DioramaBatch, render
from common.data.diorama.scenes import FPS, NUM_FRAMES, SIZE, DioramaScene, allowed_pairs, draw_scene
from common.data.diorama.truth import DioramaTruth, truth
from common.data.sprites.dice import Dice

# What a split shows of the camera: what is trained on (other scenes in `test`), or what is held out from it.
SPLITS = {"train": "seen", "test": "seen", "held_out_pairs": "pair", "held_out_speeds": "speed"}
SPLIT_SIZE = 2**40  # numbers of a split's scenes
SCENES_KEY = 2**62 + 3  # of the dice; no other world uses it


@dataclass(frozen=True)
class DioramaData:
    """Clips by number: the same number gives the same clip, whatever it is asked for with. There is no last one.

    Attributes:
        split: `train`, `test` (other scenes), `held_out_pairs` (two moves at once that are never trained on together)
            or `held_out_speeds` (one move, at a speed that is never trained on).
        num_frames, size, fps: of the clips. A scene is the same at any of them.
        moves: that the camera may make, some of `MOVES`. It stands still in a tenth of the clips.
        num_objects: 1 or 2; if None, each half of the time.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE
    fps: float = FPS
    moves: tuple[str, ...] = MOVES
    num_objects: int | None = None
    key: str = field(init=False)

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        if not self.moves or not set(self.moves) <= set(MOVES):
            raise ValueError(f"moves are some of {', '.join(MOVES)}; got {self.moves}")
        if self.num_objects not in (None, 1, 2):
            raise ValueError(f"a scene has 1 or 2 objects, got num_objects={self.num_objects!r}")
        if self.split == "held_out_pairs" and not allowed_pairs(self.moves, held_out=True):
            raise ValueError(f"no pair of these moves is held out: {', '.join(self.moves)}")
        made = ", ".join(move for move in MOVES if move in self.moves)
        shape = f"{self.num_frames}x{self.size} at {self.fps:g} fps, {self.num_objects or '1 or 2'} objects"
        object.__setattr__(self, "key", f"diorama {self.split}, {shape}, {made}")

    def scenes(self, indices: Iterable[int]) -> list[DioramaScene]:
        """The scenes with these numbers.

        Raises:
            ValueError: a number is negative or reaches the next split's.
        """
        indices, first = [int(index) for index in indices], SPLIT_SIZE * list(SPLITS).index(self.split)
        outside = [index for index in indices if not 0 <= index < SPLIT_SIZE]
        if outside:
            raise ValueError(f"a clip has a number from 0 to {SPLIT_SIZE - 1}, got {outside[0]}")
        numbers, kind = [first + index for index in indices], SPLITS[self.split]
        return [draw_scene(Dice(n, SCENES_KEY), n, kind, self.moves, self.num_objects) for n in numbers]

    def batch(self, indices: Iterable[int]) -> DioramaBatch:
        """The clips with these numbers, uint8 `(B, 3, T, size, size)`, with captions and cameras."""
        return render(self.scenes(indices), self.num_frames, self.size, self.fps)

    def truth(self, indices: Iterable[int]) -> DioramaTruth:
        """The truth about `batch(indices)`."""
        return truth(self.scenes(indices), self.num_frames, self.size, self.fps)
