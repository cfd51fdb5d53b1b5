"""Builds what is committed beside the sources: executed solutions, fill-in labs, executed tutorials.

solutions/PP_name/NN_name.py -> solutions/PP_name/NN_name.ipynb (executed) -> labs/PP_name/NN_name.ipynb
phases/PP_name/NN_name.py    -> phases/PP_name/NN_name.ipynb (executed)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common import files
from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.building import seconds
from common.course.building.execute import MAX_BYTES, execute
from common.course.building.execute import measure as measured
from common.course.building.lab_cells import draft_lab
from common.course.building.notebooks import Draft, draft_tutorial, source_hash
from common.course.building.release import release
from common.course.source import lab_source
from common.course.source.percent import shown


@dataclass(frozen=True)
class Target:
    """One source and what is built from it. `lab` is None for a tutorial."""

    path: Path
    lab: Lab | None = None

    @property
    def name(self) -> str:
        return self.lab.id if self.lab else f"{self.path.parent.name}/{self.path.stem}"

    @property
    def notebook(self) -> Path:
        return self.path.with_suffix(".ipynb")

    @cached_property
    def draft(self) -> Draft:
        return draft_lab(self.lab) if self.lab else draft_tutorial(self.path)

    @property
    def num_code_cells(self) -> int:
        return sum(cell["cell_type"] == "code" for cell in self.draft.cells)

    @cached_property
    def flipbook(self) -> dict:
        """The notebook's own metadata: what it is, and what it was built from."""
        if self.lab is None:
            return {"tutorial": self.name, "source_hash": source_hash(self.path)}
        modules = tuple(e.module for e in lab_source.exercises(self.lab) if e.module)
        return {"lab": self.lab.id, "source_hash": source_hash(self.path, modules, (self.lab.tests,))}


def targets(names: tuple[str, ...] = ()) -> list[Target]:
    """The sources to build: all of them, or those named by lab id, phase folder, or path.

    Raises:
        CourseError: nothing has this name.
    """
    labs = sorted(paths.root().glob("solutions/[0-9][0-9]_*/[0-9][0-9]_*.py"))
    tutorials = sorted(paths.root().glob("phases/[0-9][0-9]_*/[0-9][0-9]_*.py"))
    every = [Target(p, Lab(p.parent.name, p.stem)) for p in labs] + [Target(p) for p in tutorials]
    chosen = [target for target in every if not names or any(_is_named(target, name) for name in names)]
    for name in names:
        if not any(_is_named(target, name) for target in every):
            known = ", ".join(target.name for target in every) or "none yet"
            raise CourseError(f"nothing to build is called {name!r}. The sources here are: {known}.")
    return chosen


def _is_named(target: Target, name: str) -> bool:
    plain = name.removesuffix("/").removesuffix(".ipynb").removesuffix(".py")
    phase = target.path.parent.name
    whole = target.path.relative_to(paths.root()).with_suffix("").as_posix()
    return plain in (target.name, target.name.lstrip("0"), whole, f"{phase}/{target.path.stem}", phase, phase[:2])


def out_of_date(target: Target) -> list[str]:
    """What is committed and does not follow from the source, one message a file. Nothing is executed."""
    have = _read(target.notebook)
    reason = _stale(target, have)
    if reason:
        return [f"{shown(target.notebook)} {reason}"]
    if target.lab is None:
        return []
    lab = target.lab.notebook("labs")
    if not lab.exists():
        return [f"{shown(lab)} is missing"]
    if lab.read_text(encoding="utf-8") != dumps(release(have)):
        return [f"{shown(lab)} is not what {shown(target.notebook)} releases"]
    return []


def orphans() -> list[str]:
    """Built notebooks whose source is gone."""
    found = []
    for folder, sources in (("solutions", "solutions"), ("labs", "solutions"), ("phases", "phases")):
        for path in sorted(paths.root().glob(f"{folder}/*/*.ipynb")):
            written = paths.root() / sources / path.parent.name / f"{path.stem}.py"
            if not written.exists():
                found.append(f"{shown(path)} has no source: {shown(written)} does not exist")
    return found


def build(target: Target, force: bool = False, on_cell: Callable[[], None] = lambda: None) -> list[str]:
    """Brings one target up to date; returns what was written. A file is replaced whole or not at all."""
    written = []
    have = _read(target.notebook)
    if force or _stale(target, have):
        measured_before = seconds.kept(target.path)
        have = execute(target.draft, target.flipbook, on_cell)
        _write(target.notebook, dumps(have))
        written.append(shown(target.notebook))
        if seconds.kept(target.path) != measured_before:
            written.append(shown(seconds.beside(target.path)))
    if target.lab:
        lab, text = target.lab.notebook("labs"), dumps(release(have))
        if not lab.exists() or lab.read_text(encoding="utf-8") != text:
            _write(lab, text)
            written.append(shown(lab))
    return written


def measure(target: Target, on_cell: Callable[[], None] = lambda: None) -> list[str]:
    """Measures the seconds of a target's cells under the preset of learners; returns what was written."""
    return [shown(seconds.beside(target.path))] if measured(target.draft, target.flipbook, on_cell) else []


def needs_run(target: Target, force: bool = False) -> bool:
    return force or bool(_stale(target, _read(target.notebook)))


def _stale(target: Target, have: dict | None) -> str:
    """Why a built notebook is out of date, or nothing."""
    want = target.draft.notebook(target.flipbook)
    if have is None:
        return "is missing, or is no notebook"
    if inputs(have) != inputs(want):
        return f"is older than {shown(target.path)}: their cells differ"
    if have["metadata"] != want["metadata"]:
        return "was built from another version of its source, its grader or the library modules it imports"
    if any(c["cell_type"] == "code" and c["source"] and c["execution_count"] is None for c in have["cells"]):
        return "has cells that were never run"
    return ""


def inputs(notebook: dict) -> list[tuple]:
    """What the source decides about a notebook: everything but outputs."""
    return [(c["cell_type"], c["id"], c["source"], dict(c["metadata"])) for c in notebook["cells"]]


def _read(path: Path) -> dict | None:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError):
        return None


def dumps(notebook: dict) -> str:
    """The bytes of a notebook: keys sorted, one space of indent, ending in a newline."""
    import nbformat

    return nbformat.writes(nbformat.from_dict(notebook), version=4).rstrip("\n") + "\n"


def _write(path: Path, text: str) -> None:
    if len(text.encode()) > MAX_BYTES:
        raise CourseError(
            f"{shown(path)} would be {len(text.encode()):,} bytes, and a stored notebook has {MAX_BYTES:,}. "
            "Show smaller or fewer pictures (JPEG strips for colour clips, quantised PNG for toy clips)."
        )
    files.write_text(path, text)
