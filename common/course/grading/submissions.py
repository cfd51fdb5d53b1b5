"""Find a class's notebooks in a folder, and read each one without trusting it.

    DIR/alice/02_frame_extractor.ipynb      DIR/alice.ipynb      DIR/section 1/alice/01_tensors/02_frame_extractor.ipynb

Whatever is there gets a row: a notebook that can be graded, or the reason why this one cannot. No one is dropped.
"""

import ast
import errno
import functools
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.checking import loader
from common.course.grading import stage, suspects
from common.course.source import lab_source
from common.files import reason

MAX_SIZE = 64 << 20  # bytes of a notebook; a stored one of ours has less than one
MAX_CODE = 1_000_000  # characters of a notebook's code: parsing much more takes gigabytes
MAX_NOTES, MAX_NOTE = 10, 300  # notes of one submission, characters of each
IGNORED = {".ipynb_checkpoints", "__pycache__", ".git", "node_modules", "__MACOSX", "Thumbs.db", "desktop.ini"}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")
UNFINISHED = (".crdownload", ".part", ".partial", ".download", ".opdownload")


@dataclass
class Submission:
    """One file that a student handed in. Without `cells` it cannot be graded, and `problem` says why."""

    student: str
    path: Path
    lab: Lab | None = None
    cells: list[dict] = field(default_factory=list)
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def gradable(self) -> bool:
        return not self.problem and self.lab is not None


def find(folder: Path, only: Lab | None = None, skip: Path | None = None) -> list[Submission]:
    """Every submission under `folder`, ordered by lab and student.

    Args:
        folder: the class's folder.
        only: the lab to grade; also the answer for notebooks that nothing else identifies.
        skip: a folder to leave out (where the reports go).

    Raises:
        CourseError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is not a folder. `flipbook grade` takes a folder with a notebook for each student."
        )
    labs = paths.all_labs()
    files = _files(folder, skip.resolve() if skip else None)
    found = [_read(path, folder, labs, only) for path in files if _is_notebook(path)]
    found += _other_files([path for path in files if not _is_notebook(path)], found, folder, labs)
    found += _empty_folders(folder, found, skip)
    if not found:
        raise CourseError(f"{folder} holds no notebooks (*.ipynb), in itself or in any folder inside.")
    _tell_apart(found)
    return sorted(found, key=lambda s: (s.lab.id if s.lab else "~", s.student.casefold(), s.student))


def _files(folder: Path, skip: Path | None) -> list[Path]:
    """Every file but hidden ones, and every link; links to folders are reported too and never entered."""
    found = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(n for n in folders if n not in IGNORED and n not in links and (here / n).resolve() != skip)
        found += [here / name for name in links]
        found += [here / name for name in files if name not in IGNORED and not _is_system_file(name)]
    return sorted(found)


def _is_system_file(name: str) -> bool:
    """A hidden file such as .DS_Store, which no student handed in."""
    return name.startswith(".") and not name.lower().endswith(".ipynb")


def _is_notebook(path: Path) -> bool:
    """A notebook by its name, a link, or a file that only lost its name: `x.ipynb.txt`, `x.json` with cells in it."""
    if path.is_symlink() or path.suffix.lower() == ".ipynb":
        return True
    named_so = ".ipynb" in path.name.lower() and path.suffix.lower() not in ARCHIVES + UNFINISHED
    if not (named_so or path.suffix.lower() == ".json") or not path.is_file() or path.stat().st_size > MAX_SIZE:
        return False
    try:
        return "cells" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _other_files(files: list[Path], notebooks: list[Submission], folder: Path, labs: list[Lab]) -> list[Submission]:
    """Files that are no notebooks: a row for each, or a note where a notebook was handed in beside it."""
    rows = []
    for path in files:
        beside = [s for s in notebooks if s.path.parent == path.parent and s.path.parent != folder]
        if beside:
            beside[0].notes.append(f"not graded: {readable(path.name)}")
        else:
            rows.append(Submission(_student(path, folder, labs), path, problem=_why_not(path)))
    return rows


def _why_not(path: Path) -> str:
    """Why a file that is no notebook was not graded."""
    ending = path.suffix.lower()
    if ending in UNFINISHED:
        return f"{readable(path.name)} is a download that did not finish: ask for the notebook"
    if ending in ARCHIVES:
        return f"{readable(path.name)} is an archive: unpack it, then grade again"
    return f"{readable(path.name)} is not a notebook (*.ipynb)"


def _empty_folders(folder: Path, found: list[Submission], skip: Path | None) -> list[Submission]:
    """A student's folder without a notebook is a row, too: no one is dropped in silence."""
    filled = {s.path.relative_to(folder).parts[0] for s in found}
    names = sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_dir(follow_symlinks=False) and entry.name not in filled | IGNORED and not entry.name.startswith(".")
    )
    skipped = skip.resolve() if skip else None
    return [
        Submission(readable(name), folder / name, problem="this folder holds no notebook")
        for name in names
        if (folder / name).resolve() != skipped
    ]


def _read(path: Path, folder: Path, labs: list[Lab], only: Lab | None) -> Submission:
    submission = Submission(_student(path, folder, labs), path)
    if path.suffix.lower() != ".ipynb" and not path.is_symlink():
        submission.notes.append(f"read as a notebook, though its name is {readable(path.name)}")
    try:
        notebook = json.loads(_contents(path))
        submission.cells = _code_cells(notebook)
    except CourseError as error:
        submission.problem = str(error)
    except (ValueError, RecursionError) as error:
        submission.problem = f"not a notebook: {loader.why_no_json(error)}"
    else:
        submission.lab = identify(path, notebook, submission.cells, labs) or only
        given = _given_cells(submission.lab) if submission.lab else frozenset()
        submission.notes += suspects.scan(submission.cells, given)
        if submission.lab is None:
            submission.problem = (
                "no lab recognized: neither its metadata, its name nor its functions say which; use --lab"
            )
        elif only is not None and submission.lab != only:
            submission.problem = f"this is lab {submission.lab.id}, and --lab asked for {only.id}"
    if submission.lab is None:
        submission.lab = only
    return submission


def _contents(path: Path) -> bytes:
    """The file's bytes. Links, pipes and devices are refused at the moment of opening, not before it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP or path.is_symlink():
            raise CourseError("a link, not a file; links are not followed") from None
        raise CourseError(f"cannot be read: {reason(error)}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CourseError("not an ordinary file")
        if status.st_size == 0:
            raise CourseError("the file is empty")
        if status.st_size > MAX_SIZE:
            raise CourseError(
                f"{status.st_size / 2**20:.0f} MB is too large for a notebook (at most {MAX_SIZE >> 20} MB)"
            )
        return file.read(MAX_SIZE + 1)


def _code_cells(notebook) -> list[dict]:
    """The code cells, reduced to text and tags: nothing else of the file reaches a worker."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise CourseError("not a notebook: it has no list of cells")
    kept = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        noted = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        flipbook = noted.get("flipbook") if isinstance(noted.get("flipbook"), dict) else {}
        tags = noted.get("tags") if isinstance(noted.get("tags"), list) else []
        text = cell.get("source", "")
        kept.append(
            {
                "source": text if isinstance(text, str) else "".join(map(str, text)) if isinstance(text, list) else "",
                "tags": [tag for tag in tags if isinstance(tag, str)],
                "exercise": flipbook.get("exercise") if isinstance(flipbook.get("exercise"), str) else "",
                "is_check": "check" in flipbook,
                "number": len(kept) + 1,
            }
        )
    length = sum(len(cell["source"]) for cell in kept)
    if length > MAX_CODE:
        raise CourseError(f"its code has {length:,} characters, and a notebook may have {MAX_CODE:,}")
    return kept


@functools.cache
def _given_cells(lab: Lab) -> frozenset[str]:
    """The code that the lab itself hands out: nothing in it is the student's doing."""
    try:
        notebook = json.loads(lab.notebook("labs").read_bytes())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(cell["source"] for cell in _code_cells(notebook))


def identify(path: Path, notebook: dict, cells: list[dict], labs: list[Lab]) -> Lab | None:
    """Which lab a notebook answers: by its metadata, else its file name, else the functions that it defines."""
    noted = notebook.get("metadata", {}) if isinstance(notebook.get("metadata"), dict) else {}
    noted = noted.get("flipbook") if isinstance(noted.get("flipbook"), dict) else {}
    by_metadata = [lab for lab in labs if lab.id == noted.get("lab")]
    if by_metadata:
        return by_metadata[0]
    by_name = [lab for lab in labs if lab.stem in path.stem]
    if len(by_name) == 1:
        return by_name[0]
    defined = _defined(cells)
    scores = [(len(defined & {e.name for e in lab_source.exercises(lab)}), lab) for lab in labs]
    best = max((score for score, _ in scores), default=0)
    likely = [lab for score, lab in scores if score == best]
    return likely[0] if best and len(likely) == 1 else None


def _defined(cells: list[dict]) -> set[str]:
    names = {cell["exercise"] for cell in cells}
    for cell in cells:
        try:
            tree = ast.parse(cell["source"])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names


def _student(path: Path, folder: Path, labs: list[Lab]) -> str:
    """The folders above the file, without the course's own; where there are none, the file's name."""
    phases = {lab.phase for lab in labs}
    parts = [part for part in path.relative_to(folder).parts[:-1] if part not in phases]
    if not parts:
        name = re.sub(r"\.ipynb$", "", path.stem, flags=re.IGNORECASE)
        for lab in labs:
            name = name.removesuffix(lab.stem).rstrip("_- .") if name != lab.stem else folder.resolve().name
        parts = [name or path.stem]
    return "/".join(map(readable, parts))


def readable(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 and control characters become visible."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _tell_apart(found: list[Submission]) -> None:
    """Several notebooks of one student and lab are all graded; all but the best are called `alice (2)`, `alice (3)`.

    The best is one with something written, then the one with the lab's own file name, then the one with most written.
    """
    groups: dict[tuple, list[Submission]] = {}
    for submission in found:
        groups.setdefault((submission.student, submission.lab), []).append(submission)
    for (student, lab), group in groups.items():
        if len(group) < 2:
            continue
        written = {id(s): num_written(s.cells) for s in group}
        own = f"{lab.stem}.ipynb" if lab else ""
        group.sort(key=lambda s: (not written[id(s)], s.path.name != own, -written[id(s)], str(s.path)))
        names = ", ".join(readable(s.path.name) for s in group)
        for number, submission in enumerate(group, 1):
            which = "this row is the first of them" if number == 1 else f"the first is {readable(group[0].path.name)}"
            submission.notes.insert(0, f"one of {len(group)} files of {student} for this lab ({names}); {which}")
            if number > 1:
                submission.student += f" ({number})"


def num_written(cells: list[dict]) -> int:
    """How many exercise cells are no longer the stub that was handed out."""
    return sum(bool(cell["exercise"]) and "raise NotImplementedError" not in cell["source"] for cell in cells)


def short_notes(notes: list[str]) -> list[str]:
    """Each note once, cut, and only so many: a notebook must not fill the grade book."""
    each = [note if len(note) <= MAX_NOTE else note[: MAX_NOTE - 1] + "…" for note in dict.fromkeys(notes)]
    more = len(each) - MAX_NOTES
    return each if more <= 0 else [*each[: MAX_NOTES - 1], f"and {more + 1} more"]


def sanitized(submission: Submission, exercises) -> str:
    """The notebook that a worker gets: code and tags from the student, what they mean from the course."""
    known = {exercise.name: stage.metadata(exercise) for exercise in exercises}
    cells = []
    for cell in submission.cells:
        flipbook = dict(known.get(cell["exercise"], {}))
        if cell["is_check"]:
            flipbook["check"] = ""
        metadata = {"tags": cell["tags"], "flipbook": flipbook}
        cells.append({"cell_type": "code", "metadata": metadata, "source": cell["source"]})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
