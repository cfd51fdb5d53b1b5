"""The `mini` world: 2 sizes × 4 colours × 3 fields × 6 motions of one circle, 9 frames of 64×64 at four a second.

A wind tunnel for generators. Whole architectures are compared in it, so a run has to end in minutes, and its score must
not depend on details that take hours to learn. In a trial of 83,000 clips a transformer of 1.5 M weights had learned
colours and most motions, while shapes were still at chance. So every object here is a circle, and what counts is
whether colour and motion are both as asked (`common.evaluation.mini`).

The clips are those of `common.data.sprites`: the same painter, captions, truth and reader, and an autoencoder or a
text encoder that knows that world knows this one.

**Held-out rule.** Each of the four colours has one motion that it is never trained with (`HELD_OUT`). Splits `train`
and `test` show the other 120 combinations, in different scenes. Split `held_out` shows the 24 that are left: there a
model has to put together a colour and a motion that it knows only apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product

from common.data.sprites import SpriteTruth, caption, render, scene_of, truth
from common.data.sprites.attributes import ObjectWords, SceneWords, SpriteScene
from common.data.sprites.dice import Dice
from common.data.sprites.render import SpriteBatch
from common.data.sprites.solo import EVERY, SOLO_FPS

NUM_FRAMES, SIZE = 9, 64
SHAPE = "circle"
SIZES = ("small", "large")
COLORS = ("red", "yellow", "green", "cyan")  # of the object
FIELDS = ("blue", "white", "black")  # of the field; none of them is an object's
MOTIONS = ("left", "right", "up", "down", "bounce", "orbit")
HELD_OUT = {"red": "left", "yellow": "bounce", "green": "down", "cyan": "orbit"}
SPLITS = ("train", "test", "held_out")
SPLIT_SIZE = 2**40  # numbers of a split's scenes
WORDS_KEY = 2**62 + 1  # of the dice that choose the words; no other world of sprites uses it


def combinations(split: str = "train") -> list[SceneWords]:
    """What the scenes of a split show: 120 combinations of size, colour, field and motion, or the 24 held out.

    Raises:
        ValueError: there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    return [
        SceneWords((ObjectWords(SHAPE, color, size, motion),), "field", background)
        for size, color, background, motion in product(SIZES, COLORS, FIELDS, MOTIONS)
        if (HELD_OUT[color] == motion) == (split == "held_out")
    ]


@dataclass(frozen=True)
class MiniSprites:
    """Clips of the `mini` world by number: the same number gives the same clip, whatever else is asked for.

    Attributes:
        split: `train`, `test` (other scenes of the same combinations) or `held_out`.
        num_frames, size: of the clips.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE
    key: str = field(init=False)

    def __post_init__(self):
        combinations(self.split)  # raises where there is no such split
        object.__setattr__(self, "key", f"mini sprites {self.split}, {self.num_frames}x{self.size}")

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers.

        Raises:
            ValueError: a number is negative or reaches the next split's.
        """
        indices = [int(index) for index in indices]
        outside = [index for index in indices if not 0 <= index < SPLIT_SIZE]
        if outside:
            raise ValueError(f"a clip has a number from 0 to {SPLIT_SIZE - 1}, got {outside[0]}")
        words, first = combinations(self.split), SPLIT_SIZE * SPLITS.index(self.split)
        return [scene_of(Dice(first + k, WORDS_KEY).choice(words), first + k) for k in indices]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The clips with these numbers, uint8 `(B, 3, T, size, size)`, each with its plain caption; it raises the same.

        There is one caption for each combination. `common.data.sprites.paraphrases` has others.
        """
        scenes = self.scenes(indices)
        drawn = render([_faster(scene) for scene in scenes], self.num_frames, self.size)
        return replace(drawn, scenes=tuple(scenes), captions=tuple(map(caption, scenes)), fps=SOLO_FPS)

    def truth(self, indices: Iterable[int]) -> SpriteTruth:
        """The truth about `batch(indices)`: the flow is that from one of its frames to the next."""
        found = truth([_faster(scene) for scene in self.scenes(indices)], self.num_frames, self.size)
        return replace(found, motion_score=found.motion_score / EVERY)


def _faster(scene: SpriteScene) -> SpriteScene:
    """A scene in which time runs twice as fast: the world's eight frames a second show what four of this one do."""
    return replace(scene, objects=tuple(replace(item, speed=item.speed * EVERY) for item in scene.objects))
