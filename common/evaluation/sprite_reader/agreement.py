"""Whether a clip shows what was asked for, attribute by attribute, and how often it would by chance."""

from collections.abc import Iterable, Sequence
from itertools import permutations

from common.data.sprites.attributes import ObjectWords, SceneWords
from common.data.sprites.captions import parse
from common.data.sprites.scenes import draw_scenes
from common.evaluation.sprite_reader.reading import ObjectReading, SceneReading

OBJECT_ATTRIBUTES = ("shape", "color", "size", "motion")
SCENE_ATTRIBUTES = ("background", "background_color", "camera")
ATTRIBUTES = (*OBJECT_ATTRIBUTES, *SCENE_ATTRIBUTES, "num_objects", "binding", "all")


def agreement(asked: SceneWords | str, found: SceneReading | SceneWords) -> dict[str, bool]:
    """Which attributes of a reading are those that were asked for.

    Who is named first means nothing, so of all ways to pair the objects asked for with those found the one counts under
    which most attributes agree. An attribute of the objects agrees if it does for every object asked for; one that is
    not there agrees in nothing. What was not read agrees with nothing.

    Args:
        asked: words, or a caption of the world.
        found: a reading; or words, to compare two captions.

    Returns:
        For each of `ATTRIBUTES` whether it agrees. `num_objects`: neither more nor fewer. `binding`: each object found
        has the colour and the shape of one and the same object asked for. `all`: everything above.

    Raises:
        ValueError: `asked` is a text that is no caption.
    """
    asked = parse(asked) if isinstance(asked, str) else asked
    pairs = max(_pairings(asked.objects, found.objects), key=_num_equal)
    result = {name: all(_equal(a, b, name) for a, b in pairs) for name in OBJECT_ATTRIBUTES}
    result |= {name: getattr(asked, name) == getattr(found, name) for name in SCENE_ATTRIBUTES}
    result["num_objects"] = len(asked.objects) == len(found.objects)
    result["binding"] = any(
        all(_equal(a, b, "shape") and _equal(a, b, "color") for a, b in pairing)
        for pairing in _pairings(asked.objects, found.objects)
    )
    result["all"] = all(result.values())
    return result


def accuracy(
    asked: Sequence[SceneWords | str], found: Sequence[SceneReading | SceneWords], num_objects: int | None = None
) -> dict[str, float]:
    """The part of the clips for which each of `ATTRIBUTES` agrees.

    Args:
        asked, found: as in `agreement`, one of each for every clip.
        num_objects: count only clips of which so many objects were asked for.

    Raises:
        ValueError: there are not as many of one as of the other, or none is left to count.
    """
    if len(asked) != len(found):
        raise ValueError(f"{len(asked)} clips were asked for, {len(found)} were read")
    pairs = [(parse(words) if isinstance(words, str) else words, reading) for words, reading in zip(asked, found)]
    rows = [agreement(words, reading) for words, reading in pairs if num_objects in (None, len(words.objects))]
    if not rows:
        raise ValueError("no clips to count")
    return {name: sum(row[name] for row in rows) / len(rows) for name in ATTRIBUTES}


def object_accuracy(asked: Sequence[SceneWords | str], found: Sequence[SceneReading | SceneWords]) -> dict[str, float]:
    """The part of all objects asked for, of all clips together, for which each of `OBJECT_ATTRIBUTES` agrees.

    `accuracy` counts clips in which every object is right; this counts objects, paired with those found as there.

    Raises:
        ValueError: there are not as many clips asked for as read, or none.
    """
    if len(asked) != len(found) or not asked:
        raise ValueError(f"{len(asked)} clips were asked for, {len(found)} were read")
    pairs = []
    for words, reading in zip(asked, found):
        words = parse(words) if isinstance(words, str) else words
        pairs += max(_pairings(words.objects, reading.objects), key=_num_equal)
    return {name: sum(_equal(a, b, name) for a, b in pairs) / len(pairs) for name in OBJECT_ATTRIBUTES}


def chance_agreement(
    num_objects: int | None = None, *, split: str = "test", num_scenes: int = 500, num_turns: int = 10, seed: int = 0
) -> dict[str, float]:
    """How often two random captions of the world agree, by the rule of `agreement`: what no knowledge gives.

    Args:
        num_objects: 1 or 2 of both captions; None as the world has them.
        split, seed: of the world.
        num_scenes: whose captions are compared, each with `num_turns` others.
    """
    words = [scene.words for scene in draw_scenes(range(num_scenes), seed=seed, split=split, num_objects=num_objects)]
    turns = [accuracy(words, words[turn:] + words[:turn]) for turn in range(1, num_turns + 1)]
    return {name: sum(row[name] for row in turns) / num_turns for name in ATTRIBUTES}


def _pairings(asked: Sequence[ObjectWords], found: Sequence[ObjectReading | ObjectWords]) -> Iterable[list[tuple]]:
    """Every way to pair those asked for with those found; None stands for one that is not there."""
    missing = [None] * max(0, len(asked) - len(found))
    for order in permutations([*found, *missing], len(asked)):
        yield list(zip(asked, order))


def _num_equal(pairs: list[tuple]) -> int:
    return sum(_equal(a, b, name) for a, b in pairs for name in OBJECT_ATTRIBUTES)


def _equal(asked: ObjectWords, found: ObjectReading | ObjectWords | None, name: str) -> bool:
    return found is not None and getattr(asked, name) == getattr(found, name)
