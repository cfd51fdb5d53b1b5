"""Free prompts to captions: known words count in whatever order they come, and what is left open is filled in.

The models have seen captions only. A prompt that is not one is read for the attributes that it names, and becomes a
caption with them. Measured with `sprites-t2v` on 80 prompts of one object whose verb is unknown and which name no
background: of the clips of the prompts as they are, 44 % move as asked and 70 % show one object; of those of their
captions, 96 % and all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from common.data.sprites.attributes import COLORS, SHAPES, ObjectWords, SceneWords
from common.data.sprites.captions import BACKGROUND_NAMES, MOTION_NAMES, SHAPE_NAMES, SIZE_NAMES, caption, parse
from common.data.sprites.vocabulary import is_synonym, meanings, suggestions, vocabulary, words_of, words_outside

EXAMPLE = "a small red star moves left over a blue field"
MOST_OBJECTS = 2
# What an open attribute becomes: of the colours the first that is free.
FREE_COLORS, FREE_BACKGROUNDS = ("red", "blue", "yellow", "green"), ("white", "black", "yellow")
DEFAULTS = {"shape": "circle", "size": "large", "motion": "still"}
# Words that mean a motion or a shape without the rest of their phrase, and adjectives of a background.
LOOSE_MOTIONS = {"left": "left", "right": "right", "up": "up", "down": "down", "still": "still", "bigger": "grow"}
LOOSE_SHAPES = {"plus": "cross"}
TEXTURES = {"striped": "stripes", "checkered": "checkerboard", "dotted": "dots", "plain": "field"}

_COLOR = "|".join(COLORS)
_CAMERA = re.compile(r"(?:(?:the )?(?:camera|view) (?:\w+ )??)?\b(pans|zooms)(?: to the)? (left|right|in|out)\b")
_CAMERA_STILL = re.compile(r"(?:the )?(?:camera|view)\b(?: does not move| stands still)?")
_BACKGROUND = re.compile(rf"(?:\b(?:{_COLOR}|{'|'.join(TEXTURES)}) )*\b(?:{'|'.join(BACKGROUND_NAMES)}|background)\b")
_ON_A_COLOR = re.compile(rf"\b(?:over|on|of)(?: a| the)? (?:{_COLOR})\b(?! (?:{'|'.join(meanings(SHAPE_NAMES))})\b)")


class NothingKnown(ValueError):
    """A prompt of which the world knows nothing; the message has the vocabulary and an example."""


@dataclass(frozen=True)
class PromptReading:
    """A prompt as the world understands it.

    Attributes:
        caption: what it says, in the world's words; the prompt itself where it is a caption.
        outside: its words that the world does not have, each with the nearest that it has; None where none is near.
        is_caption: whether the prompt is a caption as it is.
    """

    caption: str
    outside: dict[str, str | None] = field(default_factory=dict)
    is_caption: bool = True


def read_prompt(text: str, seen=None) -> PromptReading:
    """Read a prompt.

    Args:
        text: any sentence.
        seen: fills what the prompt leaves open, such as the reading of a picture to begin with: anything with
            `objects`, `background` and `background_color`, whose words may be None.

    Raises:
        NothingKnown: no word names anything of the world; that something jumps, or is in the sky, is not enough.
    """
    try:
        parse(text)
        return PromptReading(text)
    except ValueError:
        words = words_of(text)
    outside = words_outside(words)
    guessed = {word for word, near in outside.items() if is_synonym(word) and near not in SHAPES}
    known = [outside.get(word, word) or "" for word in words]
    surely = ["" if word in guessed else near for word, near in zip(words, known)]
    if not any(_said(surely)):
        told = f" ({suggestions(outside)})" if outside else ""
        raise NothingKnown(
            f"nothing in {text!r} can be drawn in this world{told}. It has\n{vocabulary()}\nFor example: {EXAMPLE!r}"
        )
    return PromptReading(caption(_filled(*_said(known), seen)), outside, is_caption=False)


def _said(words: list[str]) -> tuple[list[dict[str, str]], dict[str, str], str | None]:
    """What known words say, in whatever order: of each object, of the background, of the camera."""
    camera, text = _take_camera(" ".join(word for word in words if word))
    background, text = _take_background(text)
    return _objects(text), background, camera


def _filled(objects: list[dict], background: dict, camera: str | None, seen) -> SceneWords:
    """A scene with what is said, then what is seen, then defaults."""
    shown = [] if seen is None else [{k: v for k, v in vars(item).items() if k != "motion"} for item in seen.objects]
    objects = [_words(shown[k] if k < len(shown) else {}) | item for k, item in enumerate(objects or [{}])]
    if seen is not None:
        background = _words({"texture": seen.background, "color": seen.background_color}) | background
    taken = {item["color"] for item in objects if "color" in item}
    behind = background.get("color") or _free(FREE_BACKGROUNDS, taken)
    complete = []
    for item in objects:
        color = item.get("color") or _free(FREE_COLORS, taken | {behind})
        taken.add(color)
        words = DEFAULTS | item | {"color": color}
        complete.append(ObjectWords(**{name: words[name] for name in ("shape", "color", "size", "motion")}))
    return SceneWords(tuple(complete), background.get("texture", "field"), behind, camera or "still")


def _words(found: dict) -> dict[str, str]:
    return {name: word for name, word in found.items() if isinstance(word, str)}


def _free(words: Iterable[str], taken: set[str]) -> str:
    return next(word for word in words if word not in taken)


def _take_camera(text: str) -> tuple[str | None, str]:
    """The camera's motion, and the text without it."""
    if match := _CAMERA.search(text):
        return f"{match[1].removesuffix('s')}_{match[2]}", _CAMERA.sub(" ; ", text, count=1)
    without = _CAMERA_STILL.sub(" ; ", text)
    return (None if without == text else "still"), without


def _take_background(text: str) -> tuple[dict[str, str], str]:
    """Texture and colour behind everything, as far as they are said, and the text without them."""
    found = {}
    match = _BACKGROUND.search(text) or _ON_A_COLOR.search(text)
    for word in match[0].split() if match else ():
        if word in COLORS:
            found["color"] = word
        elif TEXTURES.get(word, word) in BACKGROUND_NAMES:
            found["texture"] = TEXTURES.get(word, word)
    return found, text if match is None else f"{text[: match.start()]} ; {text[match.end() :]}"


def _objects(text: str) -> list[dict[str, str]]:
    """What is said of each object: words before a shape are its own, a motion is that of the shape before it."""
    for phrase, motion in meanings(MOTION_NAMES).items():
        text = re.sub(rf"\b{phrase}\b", f"={motion}", text)
    text = re.sub(rf"(?<!=)\b({'|'.join(LOOSE_MOTIONS)})\b", lambda match: f"={LOOSE_MOTIONS[match[1]]}", text)
    for phrase, shape in (meanings(SHAPE_NAMES) | LOOSE_SHAPES).items():
        text = re.sub(rf"\b{phrase}\b", shape, text)
    sizes, objects, waiting = meanings(SIZE_NAMES), [], {}
    for word in text.split():
        if word in SHAPES:
            objects.append({**waiting, "shape": word})
            waiting = {}
        elif word.startswith("="):
            (objects[-1] if objects and not waiting else waiting).setdefault("motion", word[1:])
        elif word in sizes or word in COLORS:
            waiting["size" if word in sizes else "color"] = sizes.get(word, word)
    if waiting and objects:  # "a circle that is red"
        objects[-1] = waiting | objects[-1]
    return (objects or ([waiting] if waiting else []))[:MOST_OBJECTS]
