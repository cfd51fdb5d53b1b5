"""Scenes by number: what the first frame shows, how deep each object stands, and what the camera then does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import torch

from common.data.diorama.camera import camera_path
from common.data.diorama.moves import (
    HELD_OUT_BAND,
    HELD_OUT_PAIRS,
    MIXED,
    MOVES,
    SPEEDS,
    CameraMove,
    is_held_out,
    speed_range,
)
from common.data.sprites.attributes import (
    COLORS,
    HELD_OUT_COLORS,
    SHAPES,
    SIZES,
    SpriteObject,
    SpriteScene,
)
from common.data.sprites.dice import Dice
from common.data.sprites.scenes import PERIOD
from common.data.sprites.shapes import EXTENTS

NUM_FRAMES, SIZE, FPS = 9, 64, 4  # the standard clip: two seconds
BACKGROUNDS = ("checkerboard", "dots")  # on a plain field no move can be seen, along stripes not every one
NEAR, FAR = 0.6, 0.9  # depths of objects
APART = 0.1  # least difference of the depths of two
STILL, MIXTURE = 0.1, 0.4  # probability that the camera stands still, and that it makes two moves
NUM_TRIALS = 32  # places of an object drawn at once
INSIDE, CLEAR = 0.6, 0.5  # shares of the frames in which an object is wholly inside; in which two of them are apart
GAP = 0.03  # between two objects that do not touch, in heights
TIMES = torch.arange(NUM_FRAMES) / FPS


@dataclass(frozen=True)
class DioramaScene:
    """Everything there is to know about a clip before it is drawn.

    Attributes:
        sprites: what the first frame shows, in the units of the world of sprites: heights of the picture. Its own
            camera is still.
        depths: of the objects, between 0 and 1, from the back to the front. The background's depth is 1.
        camera: its moves.

    Raises:
        ValueError: the depths are not one of each object, in that order, or the world of sprites' camera moves.
    """

    sprites: SpriteScene
    depths: tuple[float, ...]
    camera: CameraMove = field(default_factory=CameraMove)

    def __post_init__(self):
        if len(self.depths) != len(self.sprites.objects) or not all(
            far > near for far, near in zip((1.0, *self.depths), (*self.depths, 0.0))
        ):
            raise ValueError(f"depths fall from 1 to 0, one of each object from the back on; got {self.depths}")
        if self.sprites.camera != "still":
            raise ValueError(f"the camera of a diorama's sprites is still, got {self.sprites.camera!r}")

    @property
    def index(self) -> int:
        """Number of the sample that this scene belongs to; it also chooses the words of its caption."""
        return self.sprites.index


def allowed_pairs(moves: Sequence[str], held_out: bool = False) -> list[tuple[str, str]]:
    """The pairs of these moves that are mixed in training, or those that never are."""
    return [pair for pair in combinations([m for m in MOVES if m in moves], 2) if (pair in HELD_OUT_PAIRS) == held_out]


def draw_scene(
    dice: Dice, index: int, kind: str, moves: Sequence[str] = MOVES, num_objects: int | None = None
) -> DioramaScene:
    """A scene by chance.

    The camera is drawn first. Then objects are drawn until all of them are whole in the first frame and mostly seen
    later on, so no move is rarer than the others because it is hard to keep objects in view.

    Args:
        dice: decides.
        index: of the scene.
        kind: `seen` for what is trained on, `pair` or `speed` for what is held out.
        moves: that may be made.
        num_objects: 1 or 2; each half of the time if None.
    """
    camera = _draw_camera(dice, kind, moves)
    num_objects = num_objects or (1 if dice.chance(0.5) else 2)
    middles = None
    while middles is None:
        background = {"background": dice.choice(BACKGROUNDS), "background_color": dice.choice(COLORS)}
        words = _draw_words(dice, background["background_color"], num_objects)
        depths = _draw_depths(dice, num_objects)
        middles = _draw_places(dice, words, depths, camera)
    period, texture_x, texture_y = dice.numbers(3).tolist()
    objects = [
        SpriteObject(shape, color, size, "still", radius, x, y)
        for (shape, color, size, radius), (x, y) in zip(words, middles)
    ]
    period = PERIOD[0] + (PERIOD[1] - PERIOD[0]) * period
    stage = {"period": period, "texture_x": texture_x, "texture_y": texture_y, "index": index}
    return DioramaScene(SpriteScene(tuple(objects), **background, **stage), tuple(depths), camera)


def _draw_camera(dice: Dice, kind: str, moves: Sequence[str]) -> CameraMove:
    pairs = allowed_pairs(moves, held_out=kind == "pair")
    draw = dice.numbers(1)[0]
    if kind == "seen" and draw < STILL:
        return CameraMove()
    mixed = kind == "pair" or (kind == "seen" and pairs and draw < STILL + MIXTURE)
    made = dice.choice(pairs) if mixed else (dice.choice([move for move in MOVES if move in moves]),)
    camera = _draw_speeds(dice, made, kind)
    while is_held_out(camera) and kind == "seen":
        camera = _draw_speeds(dice, made, kind)
    return camera


def _draw_speeds(dice: Dice, made: Sequence[str], kind: str) -> CameraMove:
    parts, signs = dice.numbers(2 * len(made)).reshape(2, -1)
    speeds = {}
    for move, part, sign in zip(made, parts, signs):
        slow, fast = speed_range(move, HELD_OUT_BAND) if kind == "speed" else SPEEDS[move]
        slower = MIXED if len(made) > 1 else 1.0
        speeds[move] = float(slower * (slow + (fast - slow) * part) * (1 if sign < 0.5 else -1))
    return CameraMove(**speeds)


def _draw_words(dice: Dice, background_color: str, num_objects: int) -> list[tuple[str, str, str, float]]:
    """Shape, colour, size and radius of each object. Shapes keep away from the colour that sprites hold out."""
    used, words = [background_color], []
    for _ in range(num_objects):
        shape, size = dice.choice(SHAPES), dice.choice(SIZES)
        color = dice.choice(COLORS, but=[*used, HELD_OUT_COLORS[shape]])
        used.append(color)
        small, large = SIZES[size]
        words.append((shape, color, size, float(small + (large - small) * dice.numbers(1)[0])))
    return words


def _draw_depths(dice: Dice, num_objects: int) -> list[float]:
    """Depths, the farthest first, at least `APART`."""
    parts = np.sort(dice.numbers(num_objects))[::-1]
    room = FAR - NEAR - APART * (num_objects - 1)
    return [float(NEAR + room * part + APART * (num_objects - 1 - k)) for k, part in enumerate(parts)]


def _draw_places(dice: Dice, words, depths: Sequence[float], camera: CameraMove) -> list[tuple[float, float]] | None:
    """The first places that show every object well, x and y in the first frame, or None."""
    versions = []
    for (shape, _, _, radius), depth in zip(words, depths):
        half = radius * np.array(EXTENTS[shape])
        places = half + (1 - 2 * half) * dice.numbers(2 * NUM_TRIALS).reshape(NUM_TRIALS, 2)  # (N, 2)
        versions.append(_well_seen(places, half, depth, camera))
    if len(versions) == 1:
        places, *_ = versions[0]
        return [tuple(places[0].tolist())] if len(places) else None
    (places0, seen0, halves0), (places1, seen1, halves1) = versions
    for a, b in np.ndindex(len(places0), len(places1)):
        apart = (np.abs(seen0[a] - seen1[b]) - halves0[a] - halves1[b]).max(axis=1) > GAP  # (T,)
        if apart[0] and apart.mean() >= CLEAR:
            return [tuple(places0[a].tolist()), tuple(places1[b].tolist())]
    return None


def _well_seen(places: np.ndarray, half: np.ndarray, depth: float, camera: CameraMove):
    """Those of N places from which an object never leaves half of itself outside, and mostly nothing.

    Returns:
        The n places `(n, 2)`; where the object's middle then is in each frame, `(n, T, 2)` in heights; and half its
        width and height, `(n, T, 2)`.
    """
    path = camera_path(camera.speeds, TIMES, 1, 1)
    rotation, center = path.camera_to_world[:, :3, :3].numpy(), path.camera_to_world[:, :3, 3].numpy()
    points = np.concatenate([(places - 0.5) * depth, np.full((len(places), 1), depth)], axis=1)  # (N, 3)
    in_camera = np.einsum("tij,nti->ntj", rotation, points[:, None] - center)  # (N, T, 3): the inverse of a rotation
    focal = path.intrinsics[:, 0, 0].numpy()[:, None]
    scale = focal / in_camera[..., 2:]  # (N, T, 1)
    seen, halves = 0.5 + in_camera[..., :2] * scale, half * depth * scale
    spare = np.minimum(seen, 1 - seen)  # (N, T, 2)
    good = (spare > 0).all(axis=(1, 2)) & ((spare > halves).all(axis=2).mean(axis=1) > INSIDE)
    return places[good], seen[good], halves[good]
