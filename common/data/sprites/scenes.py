"""Scenes drawn by number: a scene depends on the seed, the split and its index alone, on no scene drawn before it."""

from collections.abc import Iterable

import numpy as np

from common.data.sprites.attributes import (
    BACKGROUNDS,
    CAMERAS,
    COLORS,
    HELD_OUT_COLORS,
    HELD_OUT_MOTIONS,
    MOTIONS,
    NUM_FRAMES,
    SHAPES,
    SIZES,
    SpriteObject,
    SpriteScene,
)
from common.data.sprites.paths import DIRECTIONS, frame_times, to_picture, view, world_path
from common.data.sprites.shapes import EXTENTS

SPLITS = ("train", "test", "held_out")
NUM_TRIALS = 24  # places tried at once
MOST_ROUNDS = 8  # of trials, before other words are drawn
# Ranges of an object's speed and reach, in the units of `SpriteObject`.
SPEEDS = dict.fromkeys(DIRECTIONS, (0.2, 0.28)) | {"bounce": (0.95, 1.25), "orbit": (0.45, 0.6), "grow": (0.35, 0.45)}
REACHES = {"bounce": (0.28, 0.4), "orbit": (0.16, 0.22)}
# Of the camera's speed, and of a texture's period.
PAN, ZOOM = (0.14, 0.2), (0.17, 0.23)
PERIOD = (0.25, 0.34)


class Dice:
    """Random numbers from a counter: `numpy` promises that these bits stay the same in every version."""

    def __init__(self, seed: int, split: str, index: int):
        self.bits = np.random.Philox(key=[index, 3 * seed + SPLITS.index(split)])

    def numbers(self, count: int) -> np.ndarray:
        """Evenly distributed in [0, 1), `(count,)`."""
        return (self.bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def between(self, limits: tuple[float, float], count: int = NUM_TRIALS) -> np.ndarray:
        return limits[0] + (limits[1] - limits[0]) * self.numbers(count)

    def chance(self, probability: float) -> bool:
        return bool(self.numbers(1)[0] < probability)

    def choice(self, words: Iterable[str], *, but: Iterable[str] = ()) -> str:
        """One of the words, but none of `but`; each as likely as the others."""
        words = [word for word in words if word not in but]
        return words[int(len(words) * self.numbers(1)[0])]


def draw_scenes(indices: Iterable[int], *, seed: int = 0, split: str = "train", num_objects: int | None = None):
    """One scene for each index: see `draw_scene`."""
    return [draw_scene(int(index), seed=seed, split=split, num_objects=num_objects) for index in indices]


def draw_scene(index: int, *, seed: int = 0, split: str = "train", num_objects: int | None = None) -> SpriteScene:
    """The scene with this number.

    What a scene never does: show one colour twice (on objects or background); move the camera over a plain background;
    show an object covered or cut off in the first frame, or in more than half of the standard clip.

    Args:
        index: from 0 up; any scene can be drawn without those before it.
        seed: of the whole world.
        split: `train`, `test` (the same combinations of attributes, other scenes) or `held_out` (in every scene an
            object with a shape and colour, or a shape and motion, that `train` and `test` never show).
        num_objects: 1 or 2; if None, drawn, each half of the time.

    Raises:
        ValueError: the index or the seed is negative, or the split or the number of objects is not one of those above.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    if num_objects not in (None, 1, 2):
        raise ValueError(f"a scene has 1 or 2 objects, got num_objects={num_objects!r}")
    if index < 0 or seed < 0:
        raise ValueError(f"index and seed are not negative, got {index=}, {seed=}")
    dice = Dice(seed, split, index)
    scene = None
    while scene is None:
        scene = _place(dice, *_draw_words(dice, split, num_objects), index)
    return scene


def _draw_words(dice: Dice, split: str, num_objects: int | None) -> tuple[dict, list[dict]]:
    """What a caption could say: of the backdrop, and of each object."""
    background = dice.choice(BACKGROUNDS)
    moves = background != "field" and dice.chance(0.6)
    backdrop = {
        "background": background,
        "background_color": dice.choice(COLORS),
        "camera": dice.choice(CAMERAS, but=["still"]) if moves else "still",
    }
    count = num_objects or (1 if dice.chance(0.5) else 2)
    new = int(count * dice.numbers(1)[0]) if split == "held_out" else None  # the object with a held-out pair
    used, objects = [backdrop["background_color"]], []
    for k in range(count):
        shape, color, motion = _draw_combination(dice, used, must=k == new, may=split == "held_out")
        used.append(color)
        objects.append({"shape": shape, "color": color, "size": dice.choice(SIZES), "motion": motion})
    return backdrop, objects


def _draw_combination(dice: Dice, used: list[str], must: bool, may: bool) -> tuple[str, str, str]:
    """Shape, colour and motion of an object: it must have a pair that is held out, may have one, or has none."""
    shape = dice.choice(SHAPES)
    color, motion = HELD_OUT_COLORS[shape], HELD_OUT_MOTIONS[shape]
    if must and (color in used or dice.chance(0.5)):
        return shape, dice.choice(COLORS, but=used), motion
    if must:
        return shape, color, dice.choice(MOTIONS)
    return (
        shape,
        dice.choice(COLORS, but=used if may else [*used, color]),
        dice.choice(MOTIONS, but=[] if may else [motion]),
    )


def _place(dice: Dice, backdrop: dict, objects: list[dict], index: int) -> SpriteScene | None:
    """The scene of these words in the first geometry that shows all of it well, or None if none was found."""
    for _ in range(MOST_ROUNDS):
        stage = backdrop | _draw_stage(dice, backdrop["camera"])
        drafts = [words | _draw_path(dice, **words) for words in objects]
        allowed = _allowed(drafts, stage["camera"], stage["camera_speed"])
        if allowed.any():
            trial = allowed.argmax()
            return SpriteScene(
                tuple(SpriteObject(**_pick(draft, trial)) for draft in drafts), **_pick(stage, trial), index=index
            )
    return None


def _draw_stage(dice: Dice, camera: str) -> dict:
    """The geometry of background and camera, as in `SpriteScene`, in `NUM_TRIALS` versions."""
    pans = camera.startswith("pan")
    angles = (0, 45, 135) if pans else (0, 45, 90, 135)  # a pan along the stripes could not be seen
    return {
        "period": dice.between(PERIOD),
        "texture_x": dice.between((0, 1)),
        "texture_y": dice.between((0, 1)),
        "angle": float(dice.choice(angles)),
        "camera_speed": dice.between(PAN if pans else ZOOM) * (camera != "still"),
    }


def _draw_path(dice: Dice, shape: str, size: str, motion: str, **others) -> dict:
    """The geometry of an object, as in `SpriteObject`, in `NUM_TRIALS` versions: all inside the first picture."""
    radius, phase = dice.between(SIZES[size]), dice.between((0, 1))
    speed, reach = dice.between(SPEEDS.get(motion, (0, 0))), dice.between(REACHES.get(motion, (0, 0)))
    if motion == "orbit":
        speed *= np.where(dice.between((0, 1)) < 0.5, -1, 1)
    # Where it is first; its path begins as far from there as the path through (0, 0) then is from (0, 0).
    places = [e * radius + (1 - 2 * e * radius) * dice.between((0, 1)) for e in EXTENTS[shape]]
    x, y = (place - moved for place, moved in zip(places, world_path(motion, 0.0, 0, 0, speed, reach, phase)))
    return {"radius": radius, "x": x, "y": y, "speed": speed, "reach": reach, "phase": phase}


def _pick(draft: dict, trial: int) -> dict:
    return {name: float(value[trial]) if isinstance(value, np.ndarray) else value for name, value in draft.items()}


def _allowed(drafts: list[dict], camera: str, camera_speed: np.ndarray) -> np.ndarray:
    """Which versions show every object well: bool `(NUM_TRIALS,)`."""
    times = frame_times(NUM_FRAMES)
    middle, zoom = view(camera, camera_speed[:, None], times)
    boxes, allowed = [], np.ones(NUM_TRIALS, dtype=bool)
    for draft in drafts:
        geometry = [draft[name][:, None] for name in ("x", "y", "speed", "reach", "phase")]
        x, y, growth = world_path(draft["motion"], times, *geometry)
        x, y = to_picture(x, y, middle, zoom)  # (N, T) each
        half_width, half_height = (e * draft["radius"][:, None] * growth * zoom for e in EXTENTS[draft["shape"]])
        spare_x, spare_y = np.minimum(x, 1 - x), np.minimum(y, 1 - y)
        inside = (spare_x > half_width) & (spare_y > half_height)
        allowed &= (np.minimum(spare_x, spare_y) > 0).all(axis=1)  # never more than half outside
        allowed &= inside[:, 0] & (inside.sum(axis=1) >= 0.65 * NUM_FRAMES)
        boxes.append((x, y, half_width, half_height, inside))
    if len(boxes) == 2:
        (x0, y0, w0, h0, inside0), (x1, y1, w1, h1, inside1) = boxes
        apart = (np.abs(x0 - x1) > w0 + w1) | (np.abs(y0 - y1) > h0 + h1)
        clear = apart & inside0 & inside1
        allowed &= clear[:, 0] & (clear.sum(axis=1) > 0.5 * NUM_FRAMES)
    return allowed
