"""Notebooks as plain JSON: read, find an exercise, change a cell's text, write back in the file's own format.

Nothing here imports nbformat: it takes a second, and a file that Jupyter wrote should come back byte for byte except
for the cell that was changed.
"""

import hashlib
import json
import math
import re
from pathlib import Path

from common import files
from common.course.base.paths import CourseError


def read(path: Path) -> dict:
    """The notebook in `path`.

    Raises:
        CourseError: the file is missing, or is not a notebook.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        raise CourseError(f"there is no notebook {path}.") from None
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not a notebook: {error}.") from None


def parse(text: str, path: Path) -> dict:
    """The notebook that `text` holds; `path` is named in the error."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CourseError(f"{path} is not a readable notebook ({error}).") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise CourseError(f"{path} is not a notebook in the current format: it has no list of cells.")
    if problem := next(filter(None, map(_oddness, notebook["cells"])), ""):
        raise CourseError(f"{path} is not a notebook in the current format: {problem}.")
    return notebook


def _oddness(cell) -> str:
    """What is wrong with the shape of a cell, in a few words; empty for an ordinary one."""
    if not isinstance(cell, dict):
        return f"one of its cells is a {type(cell).__name__}"
    text = cell.get("source", "")
    if not isinstance(text, str) and not (isinstance(text, list) and all(isinstance(line, str) for line in text)):
        return "a cell's source is neither text nor a list of lines"
    if not isinstance(cell.get("metadata", {}), dict):
        return "a cell's metadata is not an object"
    noted = [part for part in (flipbook(cell), nbgrader(cell)) if part]
    names = [part.get(name) for part in noted for name in ("exercise", "check", "grade_id")]
    if not all(name is None or isinstance(name, str) for name in [*names, cell.get("id"), cell.get("cell_type")]):
        return "the name of a cell is not text"
    return ""


def dumps(notebook: dict, like: str = "") -> str:
    """The notebook as text, indented and ended as `like` is (Jupyter's own habit where that says nothing)."""
    indent = re.match(r"\{\n( +)", like)
    ending = "" if like and not like.endswith("\n") else "\n"
    return json.dumps(notebook, ensure_ascii=False, indent=len(indent[1]) if indent else 1) + ending


def write(path: Path, text: str) -> None:
    """Put `text` into `path` in one step: a full disk or a crash leaves the old file whole."""
    files.write_text(path, text)


def source(cell: dict) -> str:
    """The cell's text; the format allows one string or a list of lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def set_source(cell: dict, text: str) -> None:
    """Change the cell's text, in the form that it had, and drop outputs that belong to the old text."""
    cell["source"] = text if isinstance(cell.get("source"), str) else text.splitlines(keepends=True)
    if cell.get("cell_type") == "code":
        cell["outputs"], cell["execution_count"] = [], None


def flipbook(cell: dict) -> dict:
    """What the course's build noted on the cell; empty for a learner's own cell."""
    noted = cell.get("metadata", {}).get("flipbook")
    return noted if isinstance(noted, dict) else {}


def nbgrader(cell: dict) -> dict:
    """What nbgrader's tools know about the cell."""
    noted = cell.get("metadata", {}).get("nbgrader")
    return noted if isinstance(noted, dict) else {}


def key(cell: dict) -> tuple[str, str]:
    """What makes this cell the same cell in another copy or release of its notebook."""
    if "exercise" in flipbook(cell):
        return "exercise", flipbook(cell)["exercise"]
    if nbgrader(cell).get("grade_id"):
        return "graded", nbgrader(cell)["grade_id"]
    return "cell", cell.get("id", "")


def exercises(notebook: dict) -> dict[str, float]:
    """The exercises in their order, each with the points that its check is worth."""
    points = {}
    for cell in notebook["cells"]:
        noted = flipbook(cell)
        if "exercise" in noted:
            points.setdefault(noted["exercise"], 0.0)
        elif noted.get("check") in points:
            points[noted["check"]] += _number(nbgrader(cell).get("points"))
    return points


def _number(value) -> float:
    """A number of points; 0 for anything else."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def find_exercise(notebook: dict, name: str) -> dict | None:
    """The cell that holds the exercise: by its metadata, or by what it defines where an editor dropped the metadata."""
    for cell in notebook["cells"]:
        if flipbook(cell).get("exercise") == name:
            return cell
    definition = re.compile(rf"^(?:async )?(?:def|class) {re.escape(name)}\b", re.MULTILINE)
    return next((c for c in notebook["cells"] if c.get("cell_type") == "code" and definition.search(source(c))), None)


def fingerprint(notebook: dict) -> str:
    """Changes when any cell's text or role changes; not when a cell is run or a reader's settings are saved."""
    essence = [
        (cell.get("cell_type"), key(cell), source(cell), nbgrader(cell).get("points")) for cell in notebook["cells"]
    ]
    return hashlib.sha256(json.dumps(essence).encode()).hexdigest()


def texts(notebook: dict) -> list[tuple[str, str]]:
    """Kind and text of every cell: what a person typed, and nothing else."""
    return [(cell.get("cell_type", ""), source(cell)) for cell in notebook["cells"]]
