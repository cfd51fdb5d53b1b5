"""Pairs: still pictures of a small circle and a large one, in two colours, on a plain field. Which has which colour?

*A small red circle and a large cyan circle* and *a small cyan circle and a large red circle* have the same words. A
model that only knows which words a caption has draws the right two colours, and gives them to the wrong circles half
of the time. So this world asks one question: does a model bind words, as a reader does?

Captions name the small circle first or the large one, each half of the time, so the place of a colour's word does not
tell whose it is.

**Held-out rule.** Each colour has one partner that it is never trained with (`HELD_OUT_PAIRS`). Splits `train` and
`test` show the other twelve pairs of colours, split `held_out` the three that are left.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import permutations, product

from common.data.sprites import render, scene_of
from common.data.sprites.attributes import ObjectWords, SceneWords
from common.data.sprites.dice import Dice
from common.data.sprites.render import SpriteBatch

SIZE = 64
PAIR_COLORS = ("red", "yellow", "green", "cyan", "blue", "purple")  # of the circles
PAIR_FIELDS = ("white", "black")
HELD_OUT_PAIRS = (("red", "cyan"), ("yellow", "blue"), ("green", "purple"))
SPLITS = ("train", "test", "held_out")
SPLIT_SIZE = 2**40  # numbers of a split's pictures
PAIRS_KEY = 2**62 + 2  # of the dice that choose the words; no other world of sprites uses it


@dataclass(frozen=True, order=True)
class PairWords:
    """What a caption says.

    Attributes:
        small, large: colours of the circles.
        field: colour behind them.
        small_first: whether the caption names the small circle first.
    """

    small: str
    large: str
    field: str
    small_first: bool = True

    @property
    def caption(self) -> str:
        """Such as "a small red circle and a large cyan circle over a white field"."""
        phrases = [f"a small {self.small} circle", f"a large {self.large} circle"]
        return f"{' and '.join(phrases if self.small_first else phrases[::-1])} over a {self.field} field"

    @property
    def swapped(self) -> "PairWords":
        """The colours the other way round: the same words, another picture."""
        return replace(self, small=self.large, large=self.small)


def pair_words(split: str = "train") -> list[PairWords]:
    """What the pictures of a split show, in a fixed order: 96 captions, or the 24 of the pairs held out.

    Raises:
        ValueError: there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    held_out = {frozenset(pair) for pair in HELD_OUT_PAIRS}
    return [
        PairWords(small, large, background, first)
        for (small, large), background, first in product(permutations(PAIR_COLORS, 2), PAIR_FIELDS, (True, False))
        if (frozenset((small, large)) in held_out) == (split == "held_out")
    ]


@dataclass(frozen=True)
class MiniPairs:
    """Pictures of the world of pairs by number: the same number gives the same picture.

    Attributes:
        split: `train`, `test` (other places, the same captions) or `held_out`.
        size: of the pictures.
    """

    split: str = "train"
    size: int = SIZE
    key: str = field(init=False)

    def __post_init__(self):
        pair_words(self.split)  # raises where there is no such split
        object.__setattr__(self, "key", f"mini pairs {self.split}, {self.size}")

    def words(self, indices: Iterable[int]) -> list[PairWords]:
        """What the pictures with these numbers show.

        Raises:
            ValueError: a number is negative or reaches the next split's.
        """
        indices = [int(index) for index in indices]
        outside = [index for index in indices if not 0 <= index < SPLIT_SIZE]
        if outside:
            raise ValueError(f"a picture has a number from 0 to {SPLIT_SIZE - 1}, got {outside[0]}")
        known = pair_words(self.split)
        return [Dice(self._number(index), PAIRS_KEY).choice(known) for index in indices]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The pictures with these numbers, uint8 `(B, 3, 1, size, size)`, each with its caption; it raises the same."""
        indices = list(indices)
        words = self.words(indices)
        scenes = [scene_of(_scene_words(one), self._number(index)) for one, index in zip(words, indices)]
        return replace(render(scenes, 1, self.size), captions=tuple(one.caption for one in words))

    def _number(self, index: int) -> int:
        return SPLIT_SIZE * SPLITS.index(self.split) + int(index)


def _scene_words(words: PairWords) -> SceneWords:
    circles = [
        ObjectWords("circle", words.small, "small", "still"),
        ObjectWords("circle", words.large, "large", "still"),
    ]
    return SceneWords(tuple(circles), "field", words.field)
