"""Free prompts to captions: known words count in whatever order they come, and what is left open is filled in.

The models have seen captions only. A prompt that is not one is read for the attributes that it names, and becomes a
caption with them. Measured with `sprites-t2v` on 80 prompts of one object whose verb is unknown and which name no
background: of the clips of the prompts as they are, 44 % move as asked and 70 % show one object; of those of their
captions, 96 % and all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from common.data.sprites.attributes import COLORS, HELD_OUT_COLORS, HELD_OUT_MOTIONS
from common.data.sprites.captions import (
    BACKGROUND_NAMES,
    CAMERA_NAMES,
    MOTION_NAMES,
    SHAPE_NAMES,
    SIZE_NAMES,
    parse,
)
from common.data.sprites.vocabulary import is_synonym, meanings, suggestions, vocabulary, words_of, words_outside

EXAMPLE = "a small red star moves left over a blue field"
MOST_OBJECTS = 2
# What an open attribute becomes: of shapes and colours the first that training has shown with the rest.
FREE_COLORS, FREE_BACKGROUNDS = ("red", "blue", "yellow", "green", "purple"), ("white", "black", "yellow")
DEFAULTS = {"size": "large", "motion": "stands still"}
NAMES = {"size": SIZE_NAMES, "shape": SHAPE_NAMES, "motion": MOTION_NAMES}
# Words that mean a motion or a shape without the rest of their phrase, and adjectives of a background.
LOOSE = {
    "motion": {"left": "moves left", "right": "moves right", "up": "moves up", "down": "moves down",
               "still": "stands still", "bigger": "gets bigger"},
    "shape": {"plus": "plus sign"},
}  # fmt: skip
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
    guessed = {word for word, near in outside.items() if is_synonym(word) and near not in SHAPE_NAMES}
    known = [outside.get(word, word) or "" for word in words]
    surely = ["" if word in guessed else near for word, near in zip(words, known)]
    if not any(_said(surely)):
        told = f" ({suggestions(outside)})" if outside else ""
        raise NothingKnown(
            f"nothing in {text!r} can be drawn in this world{told}. It has\n{vocabulary()}\nFor example: {EXAMPLE!r}"
        )
    return PromptReading(_caption(*_said(known), seen), outside, is_caption=False)


def _said(words: list[str]) -> tuple[list[dict[str, str]], dict[str, str], str | None]:
    """What known words say, in whatever order: of each object, of the background, of the camera."""
    camera, text = _take_camera(" ".join(word for word in words if word))
    background, text = _take_background(text)
    return _objects(text), background, camera


def _caption(objects: list[dict], background: dict, camera: str | None, seen) -> str:
    """A caption of what is said, then of what is seen, then of defaults."""
    shown = [] if seen is None else [_phrases(item) for item in seen.objects]
    objects = [(shown[k] if k < len(shown) else {}) | item for k, item in enumerate(objects or [{}])]
    if seen is not None:
        background = _words({"texture": seen.background, "color": seen.background_color}) | background
    taken = {item["color"] for item in objects if "color" in item}
    behind = background.get("color") or _free(FREE_BACKGROUNDS, taken)
    phrases = []
    for item in objects:
        item = DEFAULTS | item
        item.setdefault("shape", _trained_shape(item.get("color"), meanings(MOTION_NAMES)[item["motion"]]))
        held_out = HELD_OUT_COLORS[meanings(SHAPE_NAMES)[item["shape"]]]
        item.setdefault("color", _free(FREE_COLORS, taken | {behind, held_out}))
        taken.add(item["color"])
        phrases.append("a {size} {color} {shape} {motion}".format(**item))
    texture = background.get("texture")
    place = f"over {BACKGROUND_NAMES[texture][0]}" if texture else "on a plain {color} background"
    text = f"{' and '.join(phrases)} {place.format(color=behind)}"
    return text if camera in (None, "still") else f"{text}, {CAMERA_NAMES[camera][0]}"


def _trained_shape(color: str | None, motion: str) -> str:
    """The first shape that models see in this colour and with this motion in training."""
    return next(s for s in SHAPE_NAMES if HELD_OUT_COLORS[s] != color and HELD_OUT_MOTIONS[s] != motion)


def _phrases(item) -> dict[str, str]:
    """What is seen of an object in a picture, in phrases of captions: no motion, and no word that is None."""
    found = _words({name: getattr(item, name) for name in ("size", "color", "shape")})
    return {name: NAMES[name][word][0] if name in NAMES else word for name, word in found.items()}


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
    """What is said of each object, in its own words: those before a shape, and the motion that follows it."""
    for part in ("motion", "shape"):
        for phrase in meanings(NAMES[part]):
            text = re.sub(rf"(?<![=_])\b{phrase}\b", f"={part}:{phrase.replace(' ', '_')}", text)
        for word, phrase in LOOSE[part].items():
            text = re.sub(rf"(?<![=_:])\b{word}\b", f"={part}:{phrase.replace(' ', '_')}", text)
    sizes, objects, waiting = meanings(SIZE_NAMES), [], {}
    for word in text.split():
        if word.startswith("=shape:"):
            objects.append({**waiting, "shape": word.partition(":")[2].replace("_", " ")})
            waiting = {}
        elif word.startswith("=motion:"):
            target = objects[-1] if objects and not waiting else waiting
            target.setdefault("motion", word.partition(":")[2].replace("_", " "))
        elif word in sizes or word in COLORS:
            waiting.setdefault("size" if word in sizes else "color", word)  # the first: later ones may be guesses
    if waiting and objects:  # "a circle that is red"
        objects[-1] = waiting | objects[-1]
    return (objects or ([waiting] if waiting else []))[:MOST_OBJECTS]
