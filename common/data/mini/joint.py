"""A world for joint training on images and videos: half of the colours are in clips, all of them in pictures.

One disc on a plain field, as in the `mini` world. Clips show it move left, right, up or down, in `VIDEO_COLORS`.
Pictures show it standing still, in all colours. So a clip of a disc in one of `PICTURE_ONLY` has to be put together:
the colour from pictures, the motion from clips.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product

from common.data.sprites import caption, render, scene_of
from common.data.sprites.attributes import FPS, ObjectWords, SceneWords, SpriteScene
from common.data.sprites.dice import Dice
from common.data.sprites.render import SpriteBatch

VIDEO_COLORS = ("red", "green", "blue")
PICTURE_ONLY = ("yellow", "cyan", "purple")
SIZES, FIELDS = ("small", "large"), ("white", "black")
MOVES = ("left", "right", "up", "down")
NUM_FRAMES, SIZE, CLIP_FPS = 4, 64, 1.5  # two seconds
KINDS = {  # what a kind of sample shows: colours, motions, frames
    "clips": (VIDEO_COLORS, MOVES, NUM_FRAMES),
    "pictures": (VIDEO_COLORS + PICTURE_ONLY, ("still",), 1),
    "new clips": (PICTURE_ONLY, MOVES, NUM_FRAMES),
    "new pictures": (PICTURE_ONLY, ("still",), 1),
}
SPLITS = ("train", "test")
SPLIT_SIZE = 2**40  # numbers of a split's scenes
WORDS_KEY = 2**62 + 2  # of the dice that choose the words; no other world of sprites uses it


@dataclass(frozen=True)
class JointSprites:
    """Samples by number: the same number gives the same one, whatever else is asked for.

    Attributes:
        kind: a name of `KINDS`: "clips" and "pictures" are trained on; "new clips" are of colours that only pictures
            have shown.
        split: `train`, or `test`: other scenes.
    """

    kind: str = "clips"
    split: str = "train"
    key: str = field(init=False)

    def __post_init__(self):
        for name, value, known in (("kind", self.kind, KINDS), ("split", self.split, SPLITS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
        object.__setattr__(self, "key", f"joint sprites, {self.kind}, {self.split}")

    @property
    def num_frames(self) -> int:
        return KINDS[self.kind][2]

    def combinations(self) -> list[SceneWords]:
        """All that samples of this kind may show."""
        colors, motions, _ = KINDS[self.kind]
        return [
            SceneWords((ObjectWords("circle", color, size, motion),), "field", background)
            for size, color, background, motion in product(SIZES, colors, FIELDS, motions)
        ]

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers, each from 0 up to, not including, 2^40."""
        words = self.combinations()
        first = SPLIT_SIZE * (SPLITS.index(self.split) + len(SPLITS) * list(KINDS).index(self.kind))
        return [scene_of(Dice(first + k, WORDS_KEY).choice(words), first + k) for k in map(int, indices)]

    def captions(self, indices: Iterable[int]) -> list[str]:
        """What is asked for, without drawing anything."""
        return [caption(scene) for scene in self.scenes(indices)]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The samples with these numbers, uint8 `(B, 3, T, 64, 64)`, each with its plain caption."""
        scenes = self.scenes(indices)
        faster = [
            replace(scene, objects=tuple(replace(item, speed=item.speed * FPS / CLIP_FPS) for item in scene.objects))
            for scene in scenes
        ]  # the painter shows eight frames a second
        drawn = render(faster, self.num_frames, SIZE)
        return replace(drawn, scenes=tuple(scenes), captions=tuple(map(caption, scenes)), fps=CLIP_FPS)
