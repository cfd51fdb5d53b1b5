"""What the cells of a source must be, as a table: which cells a rule is about, what breaks it, and the sentence.

The rules of one cell are tried in the order of the table, and the first that is broken is told, with file and line. The
rules between cells (each exercise has one header, one check and one set of hints) come after them.
"""

import ast
import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from common.course.source.percent import Cell

TAGS = ("setup", "demo", "folded", "nbval-check-output", "nbval-ignore-output", "nbval-skip")
# role -> (kind of cell, keys it must have, keys it may have)
ROLES = {
    "about": ("markdown", ("difficulty", "importance", "minutes"), ()),
    "exercise": ("code", (), ("from", "blank")),
    "check": ("code", (), ()),
    "hints": ("markdown", (), ()),
    "troubles": ("markdown", (), ()),
    "answer": ("markdown", ("points",), ()),
}
STARS = ("difficulty", "importance")  # from 1 to 5
RESERVED = ("setup", "setup_2", "setup_3")  # names that the build gives to cells
LIBRARY = r"common(\.\w+)+:\w+"
MARKS = ("BEGIN SOLUTION", "END SOLUTION")


class Rule(NamedTuple):
    """One rule about one cell.

    Attributes:
        about: the roles of the cells it is about, or "code", or "" for every cell.
        broken: what is wrong in the cell: something true, or nothing.
        says: the sentence, from the cell and what is wrong.
        in_text: whether the fault is in the cell's text and not in its header line.
    """

    about: tuple[str, ...]
    broken: Callable[[Cell], Any]
    says: Callable[[Cell, Any], str]
    in_text: bool = False


def role(cell: Cell) -> str | None:
    """`exercise`, `check`, `about`, `hints`, `troubles`, `answer`, or None for an ordinary cell."""
    return next((name for name in ROLES if name in cell.keys), None)


def name_of(cell: Cell) -> str:
    """What the cell's role names, such as the exercise that a check is about."""
    return cell.keys[role(cell)]


def check(cells: list[Cell]) -> None:
    """Hold the cells of a source against every rule.

    Raises:
        CourseError: with file and line, for the first rule that is broken.
    """
    for cell in cells:
        roles = {"", cell.kind, role(cell)}
        for rule in RULES:
            if roles.isdisjoint(rule.about):
                continue
            if found := rule.broken(cell):
                raise cell.error(rule.says(cell, found), *([cell.first] if rule.in_text else []))
        _check_syntax(cell)
    for cell, sentence in _faults_between(cells):
        raise cell.error(sentence)


def _strange_key(cell: Cell) -> str | None:
    what, keys = role(cell), {"tags"}
    _, must, may = ROLES.get(what, ("", (), ()))
    keys |= {what, *must, *may} if what else set(ROLES)
    if "demo" in cell.keys.get("tags", []):
        keys.add("draws")
    return next((key for key in cell.keys if key not in keys), None)


def _says_strange_key(cell: Cell, key: str) -> str:
    known = [*ROLES, "tags", "draws", *(k for _, must, may in ROLES.values() for k in (*must, *may))]
    place = f"in a cell with {role(cell)}=" if role(cell) else "in a cell header"
    return f"{key}= means nothing {place}.{_did_you_mean(key, known)}"


def _missing_number(cell: Cell) -> str | None:
    for key in ROLES[role(cell)][1]:
        value = cell.keys.get(key)
        if not isinstance(value, (int, float)) or value <= 0 or (key in STARS and value > 5):
            return key
    return None


def _says_missing_number(cell: Cell, key: str) -> str:
    most = " and at most 5" if key in STARS else ""
    return f"{role(cell)}= needs {key}= with a number above 0{most}, and it is {cell.keys.get(key)!r}."


def _is_written_here(cell: Cell) -> bool:
    """Whether the answer is in the source, and not a part of the library."""
    return role(cell) == "answer" or (role(cell) == "exercise" and "from" not in cell.keys)


def _marks(cell: Cell) -> list[int]:
    return [cell.text.count(mark) for mark in MARKS]


def _other_definitions(cell: Cell) -> str | None:
    """What an inline exercise defines in place of its name."""
    if "from" in cell.keys or _syntax_error(cell):
        return None
    tops = [node.name for node in ast.parse(cell.text).body if hasattr(node, "name")]
    return None if name_of(cell) in tops else ", ".join(tops) or "nothing"


def _did_you_mean(word: str, known) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f" Did you mean {close[0]}?" if close and close[0] != word else ""


RULES = (
    Rule(("",), _strange_key, _says_strange_key),
    Rule(
        tuple(ROLES),
        lambda cell: cell.kind != ROLES[role(cell)][0] and ROLES[role(cell)][0],
        lambda cell, kind: f"{role(cell)}= belongs in a {kind} cell, and this is a {cell.kind} cell.",
    ),
    Rule(
        tuple(ROLES),
        lambda cell: not isinstance(name_of(cell), str),
        lambda cell, _: f"{role(cell)}= names something: write it as a text, not {name_of(cell)!r}.",
    ),
    Rule(tuple(ROLES), _missing_number, _says_missing_number),
    Rule(
        ("",),
        lambda cell: next((tag for tag in cell.keys.get("tags", []) if tag not in TAGS), None),
        lambda cell, tag: f"the tag {tag!r} is none of {', '.join(TAGS)}.",
    ),
    Rule(
        ("check",),
        lambda cell: cell.text,
        lambda cell, _: "a check cell is empty here: the build writes the call.",
        in_text=True,
    ),
    Rule(
        ("",),
        lambda cell: "folded" in cell.keys.get("tags", []) and not cell.text.startswith("#"),
        lambda cell, _: "the tag folded belongs to a cell that begins with a heading: what follows is folded under it.",
    ),
    Rule(
        ("about",),
        lambda cell: not re.search(r"^#+ ", cell.text, re.M),
        lambda cell, _: "an about= cell needs a heading: the exercise's header line goes under it.",
    ),
    Rule(
        ("exercise",),
        lambda cell: not name_of(cell).isidentifier(),
        lambda cell, _: f"exercise={name_of(cell)!r} is not a Python name.",
    ),
    Rule(
        ("exercise",),
        lambda cell: "blank" in cell.keys and "from" not in cell.keys,
        lambda cell, _: "blank= lists methods of a library part, and this exercise has no from=.",
    ),
    Rule(
        ("exercise",),
        _other_definitions,
        lambda cell, tops: f"this cell defines {tops}, and the exercise is called {name_of(cell)}.",
    ),
    Rule(
        ("exercise",),
        lambda cell: "from" in cell.keys and not re.fullmatch(LIBRARY, str(cell.keys["from"])),
        lambda cell, _: f'from= looks like "common.video.sampling:even_indices", not {cell.keys["from"]!r}.',
    ),
    Rule(
        ("exercise",),
        lambda cell: "from" in cell.keys and cell.keys["from"].split(":")[1] != name_of(cell),
        lambda cell, _: (
            f"the exercise {name_of(cell)} comes from {cell.keys['from']}: it must carry the library's name."
        ),
    ),
    Rule(
        ("exercise",),
        lambda cell: "from" in cell.keys and cell.text,
        lambda cell, _: "an exercise with from= is empty here: its text comes from the library.",
        in_text=True,
    ),
    Rule(
        ("exercise", "answer"),
        lambda cell: name_of(cell) in RESERVED or name_of(cell).startswith("check_"),
        lambda cell, _: (
            f"{role(cell)}={name_of(cell)!r} is a name that the build gives to cells itself; choose another."
        ),
    ),
    Rule(
        ("exercise", "answer"),
        lambda cell: _is_written_here(cell) and (_marks(cell)[0] == 0 or _marks(cell)[0] != _marks(cell)[1]),
        lambda cell, _: (
            f"{role(cell)}={name_of(cell)!r} needs its answer between BEGIN SOLUTION and END SOLUTION lines."
        ),
    ),
    Rule(
        ("",),
        lambda cell: not _is_written_here(cell) and sum(_marks(cell)),
        lambda cell, _: "solution markers are in a cell that is neither an exercise nor an answer.",
    ),
)


def _syntax_error(cell: Cell) -> SyntaxError | None:
    try:
        ast.parse(cell.text)
    except SyntaxError as error:
        return error
    return None


def _check_syntax(cell: Cell) -> None:
    if cell.kind == "code" and (error := _syntax_error(cell)):
        line = cell.first + (error.lineno or 1) - 1
        raise cell.error(f"{error.msg}: {(error.text or '').strip()!r}", line) from None


def _faults_between(cells: list[Cell]) -> Iterator[tuple[Cell, str]]:
    """Each exercise has one header, one check after it and one set of hints, and nothing refers to no exercise."""
    places: dict[str, dict[str, Cell]] = {what: {} for what in ROLES}
    for cell in cells:
        if what := role(cell):
            first = places[what].setdefault(name_of(cell), cell)
            if first is not cell:
                yield cell, f"{what}={name_of(cell)!r} is there a second time: the first is in line {first.line}."
    known = places["exercise"]
    for name, cell in places["answer"].items():
        if name in known:
            yield cell, f"answer={name!r} is also the name of an exercise; nbgrader wants one name a cell."
    for what in ("about", "check", "hints", "troubles"):
        for name, cell in places[what].items():
            if name not in known:
                yield cell, f"{what}={name!r}, but no exercise has this name.{_did_you_mean(name, known)}"
    for name, cell in known.items():
        for what in ("about", "check", "hints"):
            if name not in places[what]:
                yield cell, f"the exercise {name} has no cell with {what}={name!r}."
        if places["check"][name].line < cell.line:
            yield places["check"][name], f"the check of {name} comes before its exercise."
