"""Reads percent scripts (`# %%` cells, the format jupytext calls py:percent) with the standard library alone.

Every `flipbook check` needs to know which exercises a lab has, and importing jupytext or nbformat for that would cost
more than the check itself. A test compares this reader with jupytext on every source of the course.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError

HEADER = re.compile(r"# %%(?:\s+(.*))?$")
KEY = re.compile(r"([A-Za-z_]\w*)=")


@dataclass
class Cell:
    """One cell. `line` is its header's line in the file; `first` is the line of the first line of `text`."""

    path: Path
    line: int
    kind: str  # "code" or "markdown"
    keys: dict = field(default_factory=dict)
    text: str = ""
    first: int = 0

    def error(self, message: str, line: int | None = None) -> CourseError:
        return CourseError(f"{shown(self.path)}:{line or self.line}: {message}")


def shown(path: Path) -> str:
    """A path as messages print it: from the course's folder down."""
    for base in (paths.root(), Path(__file__).resolve().parents[3]):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return str(path)


def read(path: Path) -> list[Cell]:
    """The cells of a percent script, in order.

    Raises:
        CourseError: a header that cannot be read, text before the first cell, or code inside a markdown cell.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if HEADER.match(line)]
    before = lines[: starts[0]] if starts else lines
    for number, line in enumerate(before, 1):
        if line.strip() and not line.startswith("#"):
            raise CourseError(f"{shown(path)}:{number}: code before the first cell; put a `# %%` line above it.")
    ends = [*starts[1:], len(lines)]
    return [_cell(path, start, lines[start:end]) for start, end in zip(starts, ends)]


def _cell(path: Path, start: int, lines: list[str]) -> Cell:
    cell = Cell(path, line=start + 1, kind="code")
    rest = (HEADER.match(lines[0])[1] or "").strip()
    if rest.startswith("[markdown]"):
        cell.kind, rest = "markdown", rest.removeprefix("[markdown]").strip()
    cell.keys = _keys(cell, rest)
    body = [line.rstrip() for line in lines[1:]]
    cell.first = start + 2
    while body and not body[0]:
        body.pop(0)
        cell.first += 1
    while body and not body[-1]:
        body.pop()
    if cell.kind == "markdown":
        body = [_uncomment(cell, cell.first + number, line) for number, line in enumerate(body)]
    cell.text = "\n".join(body)
    return cell


def _keys(cell: Cell, rest: str) -> dict:
    """`exercise="even_indices" points=2 tags=["demo"]` as a dictionary; every value is JSON."""
    keys = {}
    while rest:
        match = KEY.match(rest)
        if not match:
            raise cell.error(f'this cell header does not read as key="value": {rest!r}')
        try:
            value, end = json.JSONDecoder().raw_decode(rest[match.end() :])
        except json.JSONDecodeError:
            raise cell.error(f"the value of {match[1]} is not JSON (texts need double quotes): {rest!r}") from None
        if match[1] in keys:
            raise cell.error(f"{match[1]} stands twice in this cell header.")
        keys[match[1]] = value
        rest = rest[match.end() + end :].strip()
    return keys


def _uncomment(cell: Cell, number: int, line: str) -> str:
    if line.startswith("# "):
        return line[2:]
    if line in ("", "#"):
        return ""
    raise cell.error(f"a line of a markdown cell starts with `# `, this one is {line!r}.", number)
