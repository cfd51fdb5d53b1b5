"""The whole course as a list: eleven phases, their concepts and their labs, built and planned (`phases/syllabus.toml`).

Standard library only, because the start page reads it on every start.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab


@dataclass(frozen=True)
class Concept:
    """One idea of a phase. A built one is explained under `heading` of the tutorial `notebook`."""

    id: str
    title: str
    planned: bool
    notebook: Path | None = None
    heading: str = ""


@dataclass(frozen=True)
class LabEntry:
    """One lab of the syllabus. `lab` knows where its files stand, or will stand."""

    syllabus_id: str  # "01.p2"
    title: str
    stars: int
    planned: bool
    lab: Lab

    @property
    def id(self) -> str:
        return self.lab.id


@dataclass(frozen=True)
class Phase:
    """One phase: `number` is its place in the course, `folder` its name under phases/, labs/ and solutions/.

    `page` is a page of short items that belongs to no syllabus id and counts as no lab: the diagnostic of phase 0.
    """

    number: int
    folder: str
    title: str
    concepts: tuple[Concept, ...]
    labs: tuple[LabEntry, ...]
    page: LabEntry | None = None

    @property
    def path(self) -> Path:
        return paths.root() / "phases" / self.folder


def read() -> list[Phase]:
    """Every phase, in course order.

    Raises:
        CourseError: the file is missing or does not read as a syllabus.
    """
    path = paths.root() / "phases" / "syllabus.toml"
    if not path.exists():
        raise CourseError("phases/syllabus.toml is missing: it lists every phase, concept and lab of the course.")
    try:
        folders = tomllib.loads(path.read_text(encoding="utf-8"))
        return [_phase(folder, table) for folder, table in sorted(folders.items())]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CourseError(f"phases/syllabus.toml does not read as a syllabus: {error!r}.") from None


def title(lab: Lab) -> str:
    """What the course calls a lab; where no syllabus lists it, the words of its file name."""
    try:
        phases = read()
    except CourseError:
        return lab.title
    entries = [entry for phase in phases for entry in (*phase.labs, phase.page) if entry]
    return next((entry.title for entry in entries if entry.lab == lab), lab.title)


def _phase(folder: str, table: dict) -> Phase:
    concepts = tuple(_concept(folder, key, entry) for key, entry in table["concepts"].items())
    labs = tuple(_lab(folder, key, entry) for key, entry in table["labs"].items())
    page = _lab(folder, f"{folder[:2]}.p0", {"stars": 1, **table["page"]}) if "page" in table else None
    return Phase(int(folder[:2]), folder, table["title"], concepts, labs, page)


def _concept(folder: str, key: str, entry: dict) -> Concept:
    if entry.get("planned"):
        return Concept(key, entry["title"], planned=True)
    notebook = paths.root() / "phases" / folder / f"{entry['notebook']}.ipynb"
    return Concept(key, entry["title"], planned=False, notebook=notebook, heading=entry["heading"])


def _lab(folder: str, key: str, entry: dict) -> LabEntry:
    return LabEntry(key, entry["title"], entry["stars"], entry.get("planned", False), Lab(folder, entry["stem"]))
