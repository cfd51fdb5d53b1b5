"""Clips at many speeds: an object that moves or not, before a camera that pans or not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import torch

from common.data.sprites.attributes import (
    COLORS,
    HELD_OUT_COLORS,
    HELD_OUT_MOTIONS,
    SHAPES,
    ObjectWords,
    SceneWords,
    SpriteScene,
)
from common.data.sprites.dice import Dice
from common.data.sprites.paths import DIRECTIONS
from common.data.sprites.render import render
from common.data.sprites.scenes import scene_of
from common.text import TextEncoder
from common.zoo.captioned import CaptionedLatents, captioned_latents
from common.zoo.sprites_image.frames import read_prompts
from common.zoo.sprites_svd.clips import encode_each_frame

KEYS = {"train": 2**58, "test": 2**59}  # of the draws of each split
PANS = ("pan_left", "pan_right")
TEXTURES = ("stripes", "checkerboard", "dots")  # on a plain field no camera can be seen
OBJECT, CAMERA = 0.24, 0.17  # heights per second: the middle of the world's own speeds
FACTORS = (0.25, 2.0)  # of those, drawn evenly in the logarithm
NUM_FRAMES = 8  # eight per second
LAST_BUCKET = 255


@dataclass(frozen=True)
class ManySpeeds:
    """Scenes by number. The caption says what moves and where to. How fast, only the scores say.

    Attributes:
        split: `train` or `test`.
    """

    split: str = "train"

    def scenes(self, indices: Iterable[int]) -> list[SpriteScene]:
        """The scenes with these numbers. Of every eight, two have a still object and three a still camera."""
        return [self._scene(int(index)) for index in indices]

    def _scene(self, index: int) -> SpriteScene:
        dice = Dice(index, KEYS[self.split])
        while True:
            shape, background = dice.choice(SHAPES), dice.choice(TEXTURES)
            color = dice.choice(tuple(COLORS), but=[HELD_OUT_COLORS[shape]])
            other = dice.choice(tuple(COLORS), but=[color])
            motion = dice.choice(tuple(DIRECTIONS), but=[HELD_OUT_MOTIONS[shape]]) if index % 4 else "still"
            camera = dice.choice(PANS) if index % 8 in (0, 2, 3, 5, 6) else "still"
            words = SceneWords((ObjectWords(shape, color, "large", motion),), background, other, camera)
            try:
                scene = scene_of(words, index)
            except ValueError:  # no room
                continue
            fast = [FACTORS[0] * (FACTORS[1] / FACTORS[0]) ** float(part) for part in dice.numbers(2)]
            return with_speeds(scene, OBJECT * fast[0], CAMERA * fast[1])

    def batch(self, indices: Iterable[int]) -> dict:
        """`pixels` uint8 `(B, 3, T, 64, 64)`, `captions`, and `scores` `(B, 2)`, of object and camera."""
        drawn = render(self.scenes(indices), NUM_FRAMES)
        return {"pixels": drawn.pixels, "captions": drawn.captions, "scores": scores(drawn.scenes)}


def with_speeds(scene: SpriteScene, object_speed: float, camera_speed: float) -> SpriteScene:
    """A scene with other speeds, in heights per second, of what moves in it."""
    item = scene.objects[0]
    moved = item if item.motion == "still" else replace(item, speed=object_speed)
    return replace(scene, objects=(moved,), camera_speed=0.0 if scene.camera == "still" else camera_speed)


def scores(scenes: Iterable[SpriteScene]) -> torch.Tensor:
    """The true scores of scenes, `(B, 2)`: how fast the object goes over the background, and how fast that goes.

    In heights per second.
    """
    pairs = [(scene.objects[0].speed if scene.objects[0].motion in DIRECTIONS else 0.0,
              scene.camera_speed if scene.camera in PANS else 0.0) for scene in scenes]  # fmt: skip
    return torch.tensor(pairs, dtype=torch.float32)


def buckets(values: torch.Tensor) -> torch.Tensor:
    """The motion buckets of scores `(B, 2)`, from 0 to 255: 0 for what stands still, then evenly in the logarithm.

    The speeds of the training clips are spread evenly in the logarithm, so these are their quantiles.
    """
    slow = torch.tensor([OBJECT, CAMERA], device=values.device) * FACTORS[0]
    part = (values / slow).clamp(min=1e-6).log2() / torch.tensor(FACTORS[1] / FACTORS[0]).log2()
    return torch.where(values > 0, 1 + (LAST_BUCKET - 1) * part.clamp(0, 1), 0.0)


def speeds_of(told: torch.Tensor) -> torch.Tensor:
    """The inverse of `buckets`: scores `(B, 2)` of buckets above 0, and 0 of bucket 0."""
    slow = torch.tensor([OBJECT, CAMERA], device=told.device) * FACTORS[0]
    part = (told - 1) / (LAST_BUCKET - 1)
    return torch.where(told > 0, slow * (FACTORS[1] / FACTORS[0]) ** part, 0.0)


def dosed_clips(num_clips: int) -> CaptionedLatents:
    """The first clips of the training split as latents, with `scores` `(B, 2)` and the captions' `states`.

    Raises:
        OSError: the autoencoder's weights are not there.
    """
    read = partial(read_prompts, TextEncoder.installed())
    return captioned_latents(ManySpeeds("train"), encode_each_frame, num_clips, "many-speeds", read)
