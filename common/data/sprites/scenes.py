"""Scenes drawn by number: a scene depends on the seed, the split and its index alone, on no scene drawn before it."""

from collections.abc import Iterable
from itertools import permutations

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
    ObjectWords,
    SceneWords,
    SpriteObject,
    SpriteScene,
)
from common.data.sprites.dice import Dice
from common.data.sprites.paths import DIRECTIONS, frame_times, to_picture, view, world_path
from common.data.sprites.shapes import EXTENTS

SPLITS = ("train", "test", "held_out")
PROMPTED = 2**63  # the key of scenes that follow words; no split and seed reach it
NUM_TRIALS = 24  # places tried at once
MOST_ROUNDS = 8  # of trials, before other words are drawn
# Ranges of an object's speed and reach, in the units of `SpriteObject`.
SPEEDS = dict.fromkeys(DIRECTIONS, (0.2, 0.28)) | {"bounce": (0.95, 1.25), "orbit": (0.45, 0.6), "grow": (0.35, 0.45)}
REACHES = {"bounce": (0.28, 0.4), "orbit": (0.16, 0.22)}
# Of the camera's speed, and of a texture's period.
PAN, ZOOM = (0.14, 0.2), (0.16, 0.21)
PERIOD = (0.3, 0.4)


def draw_scenes(indices: Iterable[int], *, seed: int = 0, split: str = "train", num_objects: int | None = None):
    """One scene for each index: see `draw_scene`."""
    return [draw_scene(int(index), seed=seed, split=split, num_objects=num_objects) for index in indices]


def draw_scene(index: int, *, seed: int = 0, split: str = "train", num_objects: int | None = None) -> SpriteScene:
    """The scene with this number.

    What a scene never does: show one colour twice (on objects or background); move the camera over a plain background;
    show an object covered or cut off in the first frame, or in half of the standard clip.

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
    dice = Dice(index, len(SPLITS) * seed + SPLITS.index(split))
    scene = None
    while scene is None:
        scene = _place(dice, _draw_words(dice, split, num_objects), index)
    return scene


def scene_of(words: SceneWords, index: int = 0) -> SpriteScene:
    """A scene that shows what a caption says: `scene_of(parse("a small red star rises over a blue field"))`.

    Args:
        words: what to show.
        index: other numbers give other places, paths and speeds.

    Raises:
        ValueError: the rules forbid it (see `draw_scene`), or no place was found for the objects.
    """
    colors = [words.background_color, *(item.color for item in words.objects)]
    if len(set(colors)) < len(colors):
        raise ValueError(f"the colours of objects and background differ in every scene, got {', '.join(colors)}")
    if words.background == "field" and words.camera != "still":
        raise ValueError(f"a camera that moves cannot be seen over a plain field, got {words.camera}")
    scene = _place(Dice(index, PROMPTED), words, index)
    if scene is None:
        raise ValueError(f"found no place for all of {words}; try another index")
    return scene


def _draw_words(dice: Dice, split: str, num_objects: int | None) -> SceneWords:
    background, background_color = dice.choice(BACKGROUNDS), dice.choice(COLORS)
    moves = background != "field" and dice.chance(0.6)
    camera = dice.choice(CAMERAS, but=["still"]) if moves else "still"
    count = num_objects or (1 if dice.chance(0.5) else 2)
    used, objects = [background_color], []
    for k in range(count):
        # The first of them has a held-out pair, if any has; which one comes to stand in front is drawn later.
        item = _draw_object(dice, used, must=split == "held_out" and k == 0, may=split == "held_out")
        used.append(item.color)
        objects.append(item)
    return SceneWords(tuple(objects), background, background_color, camera)


def _draw_object(dice: Dice, used: list[str], must: bool, may: bool) -> ObjectWords:
    """An object that must have a pair that is held out, may have one, or has none."""
    shape, size = dice.choice(SHAPES), dice.choice(SIZES)
    new_color, new_motion = HELD_OUT_COLORS[shape], HELD_OUT_MOTIONS[shape]
    color = dice.choice(COLORS, but=used if may else [*used, new_color])
    motion = dice.choice(MOTIONS, but=[] if may else [new_motion])
    if must and (new_color in used or dice.chance(0.5)):
        motion = new_motion
    elif must:
        color = new_color
    return ObjectWords(shape, color, size, motion)


def _place(dice: Dice, words: SceneWords, index: int) -> SpriteScene | None:
    """The scene of these words in the first geometry that shows all of it well, or None if none was found."""
    objects = dice.choice(list(permutations(words.objects)))  # from the back to the front
    for _ in range(MOST_ROUNDS):
        stage = _draw_stage(dice, words.camera)
        paths = [_draw_path(dice, item) for item in objects]
        allowed = _allowed(objects, paths, words.camera, stage["camera_speed"])
        if allowed.any():
            trial = allowed.argmax()
            return SpriteScene(
                objects=tuple(SpriteObject(**vars(item), **_pick(path, trial)) for item, path in zip(objects, paths)),
                background=words.background,
                background_color=words.background_color,
                camera=words.camera,
                **_pick(stage, trial),
                index=index,
            )
    return None


def _draw_stage(dice: Dice, camera: str) -> dict[str, np.ndarray]:
    """The geometry of background and camera, as in `SpriteScene`, in `NUM_TRIALS` versions."""
    pans = camera.startswith("pan")
    angles = (0.0, 45.0, 135.0) if pans else (0.0, 45.0, 90.0, 135.0)  # a pan along the stripes could not be seen
    return {
        "period": _between(dice, PERIOD),
        "texture_x": _between(dice, (0, 1)),
        "texture_y": _between(dice, (0, 1)),
        "angle": np.full(NUM_TRIALS, dice.choice(angles)),
        "camera_speed": _between(dice, PAN if pans else ZOOM) * (camera != "still"),
    }


def _draw_path(dice: Dice, item: ObjectWords) -> dict[str, np.ndarray]:
    """The geometry of an object, as in `SpriteObject`, in `NUM_TRIALS` versions: all inside the first picture."""
    radius, phase = _between(dice, SIZES[item.size]), _between(dice, (0, 1))
    speed = _between(dice, SPEEDS.get(item.motion, (0, 0)))
    reach = _between(dice, REACHES.get(item.motion, (0, 0)))
    if item.motion == "orbit":
        speed *= np.where(_between(dice, (0, 1)) < 0.5, -1, 1)
    # Where it is first; its path begins as far from there as the path through (0, 0) then is from (0, 0).
    places = [e * radius + (1 - 2 * e * radius) * _between(dice, (0, 1)) for e in EXTENTS[item.shape]]
    moved = world_path(item.motion, 0.0, 0, 0, speed, reach, phase)
    x, y = (place - offset for place, offset in zip(places, moved))
    return {"radius": radius, "x": x, "y": y, "speed": speed, "reach": reach, "phase": phase}


def _between(dice: Dice, limits: tuple[float, float]) -> np.ndarray:
    return limits[0] + (limits[1] - limits[0]) * dice.numbers(NUM_TRIALS)


def _pick(versions: dict[str, np.ndarray], trial: int) -> dict[str, float]:
    return {name: float(values[trial]) for name, values in versions.items()}


def _allowed(objects: tuple[ObjectWords, ...], paths: list[dict], camera: str, camera_speed: np.ndarray) -> np.ndarray:
    """Which versions show every object well: bool `(NUM_TRIALS,)`."""
    times = frame_times(NUM_FRAMES)
    middle, zoom = view(camera, camera_speed[:, None], times)
    boxes, allowed = [], np.ones(NUM_TRIALS, dtype=bool)
    for item, path in zip(objects, paths):
        radius, *geometry = (path[name][:, None] for name in ("radius", "x", "y", "speed", "reach", "phase"))
        x, y, growth = world_path(item.motion, times, *geometry)
        x, y = to_picture(x, y, middle, zoom)  # (N, T) each
        half_width, half_height = (e * radius * growth * zoom for e in EXTENTS[item.shape])
        spare_x, spare_y = np.minimum(x, 1 - x), np.minimum(y, 1 - y)
        inside = (spare_x > half_width) & (spare_y > half_height)
        allowed &= (np.minimum(spare_x, spare_y) > 0).all(axis=1)  # never more than half outside
        allowed &= inside[:, 0] & (inside.sum(axis=1) >= 0.65 * NUM_FRAMES)
        boxes.append((x, y, half_width, half_height, inside))
    if len(boxes) == 2:
        (x0, y0, w0, h0, inside0), (x1, y1, w1, h1, inside1) = boxes
        apart = (np.abs(x0 - x1) > w0 + w1) | (np.abs(y0 - y1) > h0 + h1)
        clear = apart & inside0 & inside1
        allowed &= clear[:, 0] & _mostly(clear) & _mostly(clear[:, : NUM_FRAMES // 2 + 1])  # of the ci preset's too
    return allowed


def _mostly(true: np.ndarray) -> np.ndarray:
    """In more than half of the frames: bool `(N,)` from `(N, T)`."""
    return true.mean(axis=1) > 0.5
