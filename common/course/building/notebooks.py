"""Turns a percent source into a notebook without outputs: every text, tag, id and mark is derived, none is random."""

import copy
import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from common.course.building import seconds
from common.course.source import lab_source
from common.course.source.imports import library_files
from common.course.source.library import library_root
from common.course.source.percent import Cell, shown
from common.course.source.rules import role

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CAPTION = "▸ "  # of a folded cell
DIRECTIVE = re.compile(r"(?m)[ \t]*#[ ]?(?:fmt: ?(?:skip|on|off)|noqa(?::[ A-Z0-9,]+)?|type: ?ignore\S*)[ \t]*$")
Place = Callable[[int], str]  # line of a cell -> "file:line"


@dataclass
class Draft:
    """A notebook in the making. `places` tells for each cell where a line of it was written."""

    path: Path
    label: str  # the lab's id, or the tutorial's name
    cells: list[dict] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def notebook(self, flipbook: dict) -> dict:
        metadata = {**copy.deepcopy(KERNEL), "flipbook": flipbook}
        return {"cells": self.cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}

    def add(self, cell: Cell, text: str, metadata: dict, base: str = "", place: Place | None = None) -> None:
        """Appends a cell. Its id comes from `base`, or from its text; `place` tells where a line was written.

        What a line says to a formatter or linter is for the source, and no reader's business.
        """
        if cell.kind == "code":
            text = DIRECTIVE.sub("", text)
        base = (base or hashlib.sha256(text.encode()).hexdigest()[:8]).replace("_", "-")[:60]
        used = {made["id"] for made in self.cells}
        names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
        made = {
            "cell_type": cell.kind,
            "id": next(name for name in names if name not in used),
            "metadata": {key: value for key, value in metadata.items() if value},
            "source": text,
        }
        if cell.kind == "code":
            made |= {"execution_count": None, "outputs": []}
        self.cells.append(made)
        self.places.append(place or (lambda line: f"{shown(cell.path)}:{cell.first + line - 1}"))


def draft_tutorial(path: Path) -> Draft:
    """A tutorial: prose and code, no exercises."""
    draft = Draft(path, f"{path.parent.name}/{path.stem}")
    for cell in lab_source.read(path):
        what = role(cell)
        if what:
            raise cell.error(f"{what}= belongs in a lab (solutions/), and this is a tutorial.")
        add_plain(draft, cell)
    return with_seconds(draft)


def with_seconds(draft: Draft) -> Draft:
    """The draft with a line before each cell that takes a learner more than ten seconds."""
    known = seconds.long_cells(draft.path)
    lines = {index: known[name] for index, name in seconds.names(draft.cells) if name in known} if known else {}
    for index in sorted(lines, reverse=True):
        text = f"about {seconds.said(lines[index])} of one processor core"
        before = draft.cells[index - 1] if index else {"source": ""}
        if before["source"].startswith(CAPTION):
            before["source"] += f" · ⏱ {text}"
            continue
        line = {"cell_type": "markdown", "id": f"seconds-{draft.cells[index]['id']}"[:64], "metadata": {},
                "source": f"⏱ *{text[0].upper()}{text[1:]}.*"}  # fmt: skip
        draft.cells.insert(index, line)
        draft.places.insert(index, draft.places[index])
    return draft


def add_plain(draft: Draft, cell: Cell) -> None:
    """An ordinary cell. One that only draws is folded under a line that says what, and a folded heading is closed."""
    metadata: dict = {"tags": list(cell.keys.get("tags", []))}
    if "draws" in cell.keys:
        caption = Cell(cell.path, cell.line, "markdown", {}, "", cell.first)
        draft.add(caption, f"{CAPTION}*{cell.keys['draws']}*", {})
        metadata["jupyter"] = {"source_hidden": True}
    if "folded" in metadata["tags"]:
        metadata["jp-MarkdownHeadingCollapsed"] = True
    draft.add(cell, cell.text, metadata)


def source_hash(path: Path, modules: tuple[str, ...] = (), also: tuple[Path, ...] = ()) -> str:
    """A hash of a source, of the library modules it needs (all the way down) and of other files it is built from.

    The course machine itself (`common.course`) is left out: what it changes shows in the notebook's cells, and a
    hundred notebooks need not run again because a message of `flipbook doctor` did.

    Args:
        path: the percent source.
        modules: library modules to count besides those that the source imports.
        also: other files to count, such as the grader.
    """
    digest = hashlib.sha256()
    library = [(file.relative_to(library_root()).as_posix(), file) for file in library_files(path, modules)]
    for name, file in [*((shown(file), file) for file in (path, *also)), *library]:
        text = file.read_text(encoding="utf-8")
        digest.update(f"{name} {len(text)}\n{text}".encode())
    return digest.hexdigest()[:16]
