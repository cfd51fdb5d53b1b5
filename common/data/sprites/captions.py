"""Scenes in words and back: a grammar in which each attribute has several names, and no name has two meanings."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from common.data.sprites.attributes import COLORS, ObjectWords, SceneWords, SpriteScene
from common.data.sprites.dice import Dice

SIZE_NAMES = {"small": ("small", "little"), "large": ("large", "big")}
SHAPE_NAMES = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "cross": ("cross", "plus sign"),
    "ring": ("ring", "hoop"),
}
MOTION_NAMES = {
    "still": ("stands still", "does not move", "stays in place"),
    "left": ("moves left", "moves to the left", "glides left"),
    "right": ("moves right", "moves to the right", "glides right"),
    "up": ("moves up", "rises", "glides up"),
    "down": ("moves down", "sinks", "glides down"),
    "bounce": ("bounces", "bounces up and down", "hops"),
    "orbit": ("orbits", "goes round and round", "moves on a round path"),
    "grow": ("grows", "gets bigger", "swells"),
}
BACKGROUND_NAMES = {
    "field": ("a {color} field", "a plain {color} background"),
    "stripes": ("{color} stripes", "a {color} striped background"),
    "checkerboard": ("a {color} checkerboard", "a {color} checkered background"),
    "dots": ("{color} dots", "a {color} dotted background"),
}
CAMERA_NAMES = {
    "still": ("", "", "the camera does not move"),  # mostly it is not worth a word
    "pan_left": ("the camera pans left", "the camera pans to the left", "the view pans left"),
    "pan_right": ("the camera pans right", "the camera pans to the right", "the view pans right"),
    "zoom_in": ("the camera zooms in", "the view zooms in"),
    "zoom_out": ("the camera zooms out", "the view zooms out"),
}
PLACES, JOINTS = ("over", "on", "in front of"), ("and", "while")
ORDERS = ("{objects} {place} {background}, {camera}", "{place} {background}, {objects}, {camera}",
          "{camera}, {objects} {place} {background}")  # fmt: skip

Choose = Callable[[Sequence], object]  # one of some options


def caption(scene: SpriteScene | SceneWords, variant: int = 0) -> str:
    """A scene in words, such as "a small red star moves left over a blue field".

    Args:
        scene: what to describe.
        variant: 0 for the plainest words; any other number chooses among all paraphrases.

    Raises:
        ValueError: `variant` is negative.
    """
    if variant < 0:
        raise ValueError(f"variant is not negative, got {variant}")
    return compose(_words(scene), (lambda options: options[0]) if variant == 0 else Dice(variant).choice)


def paraphrases(scene: SpriteScene | SceneWords) -> Iterator[str]:
    """Every caption of a scene, with repetitions."""
    counts = []
    compose(_words(scene), lambda options: (counts.append(len(options)), options[0])[1])
    for choices in itertools.product(*map(range, counts)):
        numbers = iter(choices)
        yield compose(_words(scene), lambda options, numbers=numbers: options[next(numbers)])


def parse(text: str) -> SceneWords:
    """A caption back to its words.

    Raises:
        ValueError: it is not a caption of this world; the message says which words are not understood, what is missing
            or what is there twice.
    """
    unknown = unknown_words(text)
    if unknown:
        raise ValueError(f"no caption of a sprite uses the words {', '.join(map(repr, unknown))}: {text!r}")
    rest, found = " ".join(_split(text)), {}
    for part, pattern in _PATTERNS.items():
        found[part] = [match.groupdict() for match in pattern.finditer(rest)]
        rest = pattern.sub(" ; ", rest)
    left_over = [word for word in rest.split() if word != ";" and word not in _LITTLE_WORDS]
    for part, (allowed, rule) in _COUNTS.items():
        if len(found[part]) not in allowed:
            raise ValueError(f"a caption names {rule}; {len(found[part])} found in {text!r}")
    if left_over:
        raise ValueError(f"{' '.join(left_over)!r} is in no place where a caption could say it: {text!r}")
    objects = [_object_words(match) for match in found["object"]]
    background, color = _background_words(found["background"][0]["background"])
    camera = _meaning(CAMERA_NAMES, found["camera"][0]["camera"]) if found["camera"] else "still"
    return SceneWords(tuple(objects), background, color, camera)


def unknown_words(text: str) -> list[str]:
    """The words of a prompt that no caption of this world uses, in their order."""
    return [word for word in _split(text) if word not in VOCABULARY]


def _words(scene: SpriteScene | SceneWords) -> SceneWords:
    return scene if isinstance(scene, SceneWords) else scene.words


def compose(words: SceneWords, choose: Choose, camera_names: Mapping[str, Sequence[str]] = CAMERA_NAMES) -> str:
    """One sentence; `choose` is asked for each of its parts, always in the same order.

    Args:
        words: what it says.
        choose: one of some options.
        camera_names: phrases for each of the camera's words.
    """
    phrases = [
        f"a {choose(SIZE_NAMES[item.size])} {item.color} {choose(SHAPE_NAMES[item.shape])} "
        f"{choose(MOTION_NAMES[item.motion])}"
        for item in words.objects
    ]
    phrases = choose(list(itertools.permutations(phrases)))
    sentence = choose(ORDERS).format(
        objects=f" {choose(JOINTS)} ".join(phrases) if len(phrases) > 1 else phrases[0],
        place=choose(PLACES),
        background=choose(BACKGROUND_NAMES[words.background]).format(color=words.background_color),
        camera=choose(camera_names[words.camera]),
    )
    return sentence.strip(" ,")


def _split(text: str) -> list[str]:
    return re.findall(r"[^\s,.;:!?]+", text.lower())


def _object_words(match: dict[str, str]) -> ObjectWords:
    return ObjectWords(
        shape=_meaning(SHAPE_NAMES, match["shape"]),
        color=match["color"],
        size=_meaning(SIZE_NAMES, match["size"]),
        motion=_meaning(MOTION_NAMES, match["motion"]),
    )


def _background_words(phrase: str) -> tuple[str, str]:
    words = phrase.split()
    color = next(word for word in words if word in COLORS)
    words[words.index(color)] = "{color}"
    return _meaning(BACKGROUND_NAMES, " ".join(words)), color


def _meaning(names: dict[str, tuple[str, ...]], phrase: str) -> str:
    return next(word for word, phrases in names.items() if phrase in phrases)


def _any_of(names: dict[str, tuple[str, ...]]) -> str:
    """A pattern for any of the phrases, the longest first, so that none is taken for the beginning of another."""
    phrases = sorted({phrase for phrases in names.values() for phrase in phrases if phrase}, key=len, reverse=True)
    return "|".join(phrases)


_COLOR = "|".join(COLORS)
_PATTERNS = {
    "object": re.compile(
        rf"\ba (?P<size>{_any_of(SIZE_NAMES)}) (?P<color>{_COLOR}) (?P<shape>{_any_of(SHAPE_NAMES)}) "
        rf"(?P<motion>{_any_of(MOTION_NAMES)})\b"
    ),
    "background": re.compile(rf"\b(?P<background>{_any_of(BACKGROUND_NAMES).replace('{color}', f'(?:{_COLOR})')})\b"),
    "camera": re.compile(rf"\b(?P<camera>{_any_of(CAMERA_NAMES)})\b"),
}
_COUNTS = {
    "object": ((1, 2), 'one or two objects, each as "a small red star moves left"'),
    "background": ((1,), 'one background, as "a blue field" or "blue stripes"'),
    "camera": ((0, 1), 'at most one motion of the camera, as "the camera pans left"'),
}
_LITTLE_WORDS = set(" ".join([*PLACES, *JOINTS]).split())
_NAMES = (SIZE_NAMES, SHAPE_NAMES, MOTION_NAMES, BACKGROUND_NAMES, CAMERA_NAMES)
VOCABULARY = {"a", *COLORS, *_LITTLE_WORDS} | {
    word for names in _NAMES for phrases in names.values() for phrase in phrases for word in phrase.split()
} - {"{color}"}
