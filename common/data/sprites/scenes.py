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
NUM_TRIALS = 16  # paths of an object drawn at once
MOST_ROUNDS = 12  # of trials, before other words are drawn
# Ranges of an object's speed and reach, in the units of `SpriteObject`.
SPEEDS = dict.fromkeys(DIRECTIONS, (0.2, 0.28)) | {"bounce": (0.95, 1.25), "orbit": (0.45, 0.6), "grow": (0.32, 0.4)}
REACHES = {"bounce": (0.28, 0.4), "orbit": (0.16, 0.22)}
# Of the camera's speed, and of a texture's period.
PAN, ZOOM = (0.14, 0.2), (0.16, 0.21)
PERIOD = (0.3, 0.4)
INSIDE, CLEAR = 0.6, 0.4  # shares of the frames in which an object is wholly inside; in which all are, and apart
GAP = 0.03  # between two objects that do not touch: a pixel of 32
TIMES = frame_times(NUM_FRAMES)


def draw_scenes(indices: Iterable[int], *, seed: int = 0, split: str = "train", num_objects: int | None = None):
    """One scene for each index: see `draw_scene`."""
    return [draw_scene(int(index), seed=seed, split=split, num_objects=num_objects) for index in indices]


def draw_scene(index: int, *, seed: int = 0, split: str = "train", num_objects: int | None = None) -> SpriteScene:
    """The scene with this number.

    What a scene never does: show one colour twice (on objects or background); move the camera over a plain background;
    show an object covered or cut off in the first frame, or in more than six tenths of the standard clip.

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
    num_objects = num_objects or (1 if dice.chance(0.5) else 2)
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
        ValueError: the rules forbid it (see `draw_scene`), or there is no room: two large objects, say, and a camera
            that zooms in.
    """
    colors = [words.background_color, *(item.color for item in words.objects)]
    if len(set(colors)) < len(colors):
        raise ValueError(f"the colours of objects and background differ in every scene, got {', '.join(colors)}")
    if words.background == "field" and words.camera != "still":
        raise ValueError(f"a camera that moves cannot be seen over a plain field, got {words.camera}")
    scene = _place(Dice(index, PROMPTED), words, index, most_rounds=100 * MOST_ROUNDS)
    if scene is None:
        raise ValueError(f"no room to show all of {words}; smaller objects or a still camera would leave more")
    return scene


def _draw_words(dice: Dice, split: str, num_objects: int) -> SceneWords:
    background, background_color = dice.choice(BACKGROUNDS), dice.choice(COLORS)
    moves = background != "field" and dice.chance(0.6)
    camera = dice.choice(CAMERAS, but=["still"]) if moves else "still"
    used, objects = [background_color], []
    for k in range(num_objects):
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


def _place(dice: Dice, words: SceneWords, index: int, most_rounds: int = MOST_ROUNDS) -> SpriteScene | None:
    """The scene of these words in the first geometry that shows all of it well, or None if none was found."""
    objects = dice.choice(list(permutations(words.objects)))  # from the back to the front
    for _ in range(most_rounds):
        stage = _draw_stage(dice, words.camera)
        middle, zoom = view(words.camera, stage["camera_speed"], TIMES)
        paths, boxes = zip(*(_well_seen(item, _draw_paths(dice, item), middle, zoom) for item in objects))
        chosen = _not_in_each_others_way(boxes)
        if chosen is not None:
            return SpriteScene(
                objects=tuple(
                    SpriteObject(**vars(item), **{name: float(values[k]) for name, values in path.items()})
                    for item, path, k in zip(objects, paths, chosen)
                ),
                background=words.background,
                background_color=words.background_color,
                camera=words.camera,
                **stage,
                index=index,
            )
    return None


def _draw_stage(dice: Dice, camera: str) -> dict[str, float]:
    """The geometry of background and camera, as in `SpriteScene`."""
    pans = camera.startswith("pan")
    angles = (0.0, 45.0, 135.0) if pans else (0.0, 45.0, 90.0, 135.0)  # a pan along the stripes could not be seen
    period, texture_x, texture_y, speed = dice.numbers(4).tolist()
    return {
        "period": _between(PERIOD, period),
        "texture_x": texture_x,
        "texture_y": texture_y,
        "angle": dice.choice(angles),
        "camera_speed": 0.0 if camera == "still" else _between(PAN if pans else ZOOM, speed),
    }


def _draw_paths(dice: Dice, item: ObjectWords) -> dict[str, np.ndarray]:
    """The geometry of an object, as in `SpriteObject`, in `NUM_TRIALS` versions: all inside the first picture."""
    radius, speed, reach, phase, sign, *place = dice.numbers(7 * NUM_TRIALS).reshape(7, NUM_TRIALS)
    radius = _between(SIZES[item.size], radius)
    speed = _between(SPEEDS.get(item.motion, (0, 0)), speed)
    reach = _between(REACHES.get(item.motion, (0, 0)), reach)
    if item.motion == "orbit":
        speed = np.where(sign < 0.5, -speed, speed)
    # Where it is first; its path begins as far from there as the path through (0, 0) then is from (0, 0).
    places = (_between((e * radius, 1 - e * radius), part) for e, part in zip(EXTENTS[item.shape], place))
    moved = world_path(item.motion, 0.0, 0, 0, speed, reach, phase)
    x, y = (place - offset for place, offset in zip(places, moved))
    return {"radius": radius, "x": x, "y": y, "speed": speed, "reach": reach, "phase": phase}


def _between(limits, part):
    return limits[0] + (limits[1] - limits[0]) * part


def _well_seen(item: ObjectWords, paths: dict[str, np.ndarray], middle: np.ndarray, zoom: np.ndarray):
    """Those of the N versions whose object is mostly wholly inside, as at first, and never more than half outside.

    Returns:
        The n versions that are left; and the box's middle and half its size in every frame, `(n, 2, T)` each, with
        whether it is inside, `(n, T)`.
    """
    radius, *geometry = (paths[name][:, None] for name in ("radius", "x", "y", "speed", "reach", "phase"))
    x, y, growth = world_path(item.motion, TIMES, *geometry)
    places = np.stack(to_picture(x, y, middle, zoom), axis=1)  # (N, 2, T)
    halves = np.stack([e * radius * growth * zoom for e in EXTENTS[item.shape]], axis=1)
    spare = np.minimum(places, 1 - places)
    inside = (spare > halves).all(axis=1)  # (N, T)
    good = (spare > 0).all(axis=(1, 2)) & (inside.mean(axis=1) > INSIDE)
    return {name: values[good] for name, values in paths.items()}, (places[good], halves[good], inside[good])


def _not_in_each_others_way(boxes) -> tuple[int, ...] | None:
    """The first versions that go together: a number for each object, or None."""
    if any(len(inside) == 0 for *_, inside in boxes):
        return None
    if len(boxes) == 1:
        return (0,)
    (places0, halves0, inside0), (places1, halves1, inside1) = boxes
    distances = np.abs(places0[:, None] - places1) - halves0[:, None] - halves1  # (n0, n1, 2, T)
    clear = (distances.max(axis=2) > GAP) & inside0[:, None] & inside1  # (n0, n1, T)
    shares = [clear[..., :count].mean(axis=-1) for count in (1, NUM_FRAMES // 2 + 1, NUM_FRAMES)]
    both = (shares[0] == 1) & (np.minimum(*shares[1:]) > CLEAR)
    return np.unravel_index(both.argmax(), both.shape) if both.any() else None
