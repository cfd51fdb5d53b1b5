"""The words of the world, and for any other word the nearest of them."""

import re
from collections.abc import Iterable
from functools import cache

from common.data.sprites.attributes import COLORS
from common.data.sprites.captions import (
    BACKGROUND_NAMES,
    CAMERA_NAMES,
    MOTION_NAMES,
    SHAPE_NAMES,
    SIZE_NAMES,
    VOCABULARY,
)
from common.data.sprites.synonyms import FILLERS, LOOKALIKES, SYNONYMS

# Words of captions that name no attribute by themselves: no misspelt word is taken for one of them.
GRAMMAR = {"a", "the", "to", "and", "on", "in", "of", "over", "front", "while", "does", "not", "out", "sign", "place",
           "path", "round"}  # fmt: skip
SUFFIXES = ("ing", "ed", "es", "s")
PASSED_OVER = VOCABULARY | set(FILLERS.split())
OWN_MEANING = frozenset(LOOKALIKES.split())  # words of their own: no misspelling of the world's


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case, without punctuation."""
    return re.findall(r"[^\W_]+", text.lower())


def words_outside(words: Iterable[str]) -> dict[str, str | None]:
    """The words that no caption uses, in their order, each with the nearest that one does; None where none is near."""
    return {word: nearest(word) for word in words if word not in PASSED_OVER}


def nearest(word: str) -> str | None:
    """The world's word, or words, for an unknown one: another form of it, a synonym, or one spelt nearly so."""
    for known in (inflected(), synonyms()):
        if found := [known[form] for form in base_forms(word) if form in known]:
            return found[0]
    if OWN_MEANING.intersection(base_forms(word)):
        return None
    distances = {known: spelling_distance(word, known) for known in content_words()}
    best = min(distances, key=distances.get)
    is_swap = sorted(word) == sorted(best)  # of three letters, one changed is another word: a fox is no box
    allowed = 1 if len(word) < 6 else 2
    return best if distances[best] <= allowed and (len(word) > 3 or is_swap) else None


def is_synonym(word: str) -> bool:
    """Whether `nearest` goes by a word's meaning, and not by its spelling."""
    forms = set(base_forms(word))
    return bool(forms & synonyms().keys()) and not forms & inflected().keys()


def base_forms(word: str) -> list[str]:
    """A word and what it may be a form of: "hopping" is "hopp", "hoppe" or "hop"."""
    forms = [word]
    for suffix in SUFFIXES:
        base = word.removesuffix(suffix)
        if base != word and len(base) > 2:
            forms += [base, f"{base}e", *([base[:-1]] if base[-1] == base[-2] else [])]
    return forms


def spelling_distance(a: str, b: str) -> int:
    """Letters to insert, delete, replace, or swap with their neighbour (Damerau 1964, restricted)."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if min(i, j) > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def suggestions(outside: dict[str, str | None], most: int = 8) -> str:
    """Unknown words on a line: `"cirlce": circle? "jumps": bounces? "dragon": nothing near`."""
    shown = [f'"{word}": {near}?' if near else f'"{word}": nothing near' for word, near in outside.items()]
    return " ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def vocabulary() -> str:
    """Everything that a caption can say, a line for each kind of word."""
    kinds = {"sizes": SIZE_NAMES, "shapes": SHAPE_NAMES, "motions": MOTION_NAMES, "backgrounds": BACKGROUND_NAMES,
             "camera": CAMERA_NAMES}  # fmt: skip
    lines = {"colours": ", ".join(COLORS)}
    for kind, names in kinds.items():
        lines[kind] = ", ".join("/".join(phrase for phrase in phrases if phrase) for phrases in names.values())
    return "\n".join(f"  {kind}: {line.format(color='COLOUR')}" for kind, line in lines.items())


def meanings(names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """The phrases of a table with their meanings, the longest first."""
    pairs = [(phrase, word) for word, phrases in names.items() for phrase in phrases if phrase]
    return dict(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def content_words() -> tuple[str, ...]:
    """The words of captions that name something."""
    return tuple(sorted(VOCABULARY - GRAMMAR))


@cache
def inflected() -> dict[str, str]:
    """Base forms of the world's own words."""
    return {form: word for word in content_words() for form in reversed(base_forms(word))}


@cache
def synonyms() -> dict[str, str]:
    """Other words, in their base form, with the world's."""
    return {word: known for known, words in SYNONYMS.items() for word in words.split()}
