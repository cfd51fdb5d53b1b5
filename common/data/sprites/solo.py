"""A corner of the world: one large object before a camera that stands still, small and slow enough for a quick model.

Two seconds at four frames a second. Nothing moves but the object, so a clip is two things: what it shows (shape,
colour, background, how large the object begins) and how that moves. The world knows both, so it can also draw what no
data set has: the object of one clip on the path of another (`recombine`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from common.data.sprites.attributes import (
    BACKGROUNDS,
    COLORS,
    FPS,
    MOTIONS,
    SHAPES,
    ObjectWords,
    SceneWords,
    SpriteScene,
    is_held_out,
)
from common.data.sprites.dice import Dice
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.scenes import scene_of

NUM_FRAMES, SIZE = 9, 32
EVERY = 2  # every second frame of the world's 8 a second
SOLO_FPS = FPS // EVERY
MOVING = tuple(motion for motion in MOTIONS if motion != "still")
SPLITS = ("train", "test")
WORDS_KEY = 2**62  # of the dice that choose the words; no seed of the whole world reaches it
TEST_FROM = 2**40  # the test split's scenes have the numbers from here on


@dataclass(frozen=True)
class SoloSprites:
    """Clips of one large object, by number: the same number gives the same clip, whatever it is asked for with.

    Shapes keep away from the colour and the motion that the world holds out for them, so a model trained on these never
    sees a purple circle, nor one that grows.

    Attributes:
        split: `train` or `test`: other scenes of the same combinations.
        num_frames, size: of the clips.
        motions: those that are drawn. By default something always moves: a clip in which nothing does cannot show what
            in it is the motion.
    """

    split: str = "train"
    num_frames: int = NUM_FRAMES
    size: int = SIZE
    motions: tuple[str, ...] = MOVING
    key: str = field(init=False)

    def __post_init__(self):
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        unknown = [motion for motion in self.motions if motion not in MOTIONS]
        if unknown or not self.motions:
            raise ValueError(f"motions are some of {', '.join(MOTIONS)}; got {self.motions}")
        words = ", ".join(self.motions)
        object.__setattr__(self, "key", f"solo sprites {self.split}, {self.num_frames}x{self.size}, {words}")

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers.

        Raises:
            ValueError: a number is negative or reaches the other split's.
        """
        return [self._scene(int(index)) for index in indices]

    def batch(self, indices: Iterable[int]) -> SpriteBatch:
        """The clips with these numbers, uint8 `(B, 3, T, size, size)`; it raises the same."""
        return draw(self.scenes(indices), self.num_frames, self.size)

    def _scene(self, index: int) -> SpriteScene:
        if not 0 <= index < TEST_FROM:
            raise ValueError(f"a clip has a number from 0 to {TEST_FROM - 1}, got {index}")
        index += TEST_FROM * SPLITS.index(self.split)
        dice = Dice(index, WORDS_KEY)
        words = _draw_words(dice, self.motions)
        while is_held_out(words):
            words = _draw_words(dice, self.motions)
        return scene_of(words, index)


def draw(scenes: list[SpriteScene], num_frames: int = NUM_FRAMES, size: int = SIZE) -> SpriteBatch:
    """Scenes as clips of four frames a second."""
    batch = render(scenes, 1 + EVERY * (num_frames - 1), size)
    return replace(batch, pixels=batch.pixels[:, :, ::EVERY].contiguous(), fps=SOLO_FPS)


def recombine(content: SpriteScene, motion: SpriteScene) -> SpriteScene:
    """The scene that has what one shows and moves as the other does: the truth about a swap.

    Args:
        content: gives the background, and the object's shape, colour and size.
        motion: gives the object's path: where it is in every frame, and how much it grows.

    Raises:
        ValueError: a scene has two objects or a camera that moves.
    """
    for scene in (content, motion):
        if len(scene.objects) != 1 or scene.camera != "still":
            raise ValueError(f"recombine takes scenes of one object and a still camera, got {scene.words}")
    [item], [path] = content.objects, motion.objects
    names = ("motion", "x", "y", "speed", "reach", "phase")
    return replace(content, objects=(replace(item, **{name: getattr(path, name) for name in names}),))


def _draw_words(dice: Dice, motions: tuple[str, ...]) -> SceneWords:
    background, background_color = dice.choice(BACKGROUNDS), dice.choice(COLORS)
    shape, color = dice.choice(SHAPES), dice.choice(COLORS, but=[background_color])
    item = ObjectWords(shape, color, "large", dice.choice(motions))
    return SceneWords((item,), background, background_color)
