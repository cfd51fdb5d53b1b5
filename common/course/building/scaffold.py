"""A new lab with everything a lab has: it builds, its solution passes, its starter fails, and its bank is proven.

The three toy exercises are there to be replaced, one by one, with every step checked by the same commands.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.source import syllabus
from common.course.source.syllabus import LabEntry

TEMPLATES = Path(__file__).parent / "templates" / "lab"


@dataclass(frozen=True)
class Scaffold:
    """What was written for a new lab."""

    lab: Lab
    files: tuple[Path, ...]
    missing_row: bool  # the phase's page has no row for this lab


def create(lab_id: str, name: str | None = None) -> Scaffold:
    """Write source, grader, calibration and banks of a new lab, and mark it as built in the syllabus.

    Args:
        lab_id: an id of the syllabus that is still planned, such as "05.3".
        name: the stem's words, such as "causal_vae"; None takes those of the syllabus.

    Raises:
        CourseError: no such id, the lab is built already, the syllabus plans another name, or a file is in the way.
    """
    entry = _planned(lab_id)
    lab, named = entry.lab, entry.lab.stem[3:]
    if name not in (None, named):
        raise CourseError(
            f"the syllabus plans lab {entry.id} as {named!r}, not {name!r}: leave the name out, or change the stem in "
            "phases/syllabus.toml first."
        )
    in_the_way = [path for path in (lab.source, lab.tests, lab.calibration, lab.bank) if path.exists()]
    if in_the_way:
        raise CourseError(f"{in_the_way[0].relative_to(paths.root())} exists already: nothing was written.")
    files = _write(lab, entry)
    _calibrate(lab)
    missing_row = not _mark_as_built(entry, lab)
    return Scaffold(lab, (*files, lab.calibration), missing_row)


def _planned(lab_id: str) -> LabEntry:
    """The syllabus entry of a planned lab."""
    wanted = lab_id.strip().replace("_", ".")
    entries = [entry for phase in syllabus.read() for entry in phase.labs]
    for entry in entries:
        if wanted in (entry.id, entry.id.lstrip("0")):
            if entry.planned:
                return entry
            raise CourseError(f"lab {entry.id} is built already: its source is {entry.lab.source.name}.")
    planned = ", ".join(entry.id for entry in entries if entry.planned)
    raise CourseError(f"the syllabus has no lab {lab_id!r}. Still planned: {planned}.")


def _write(lab: Lab, entry: LabEntry) -> tuple[Path, ...]:
    facts = {"id": lab.id, "title": entry.title, "stars": "★" * entry.stars + "☆" * (5 - entry.stars),
             "phase": lab.phase, "stem": lab.stem}  # fmt: skip
    written = []
    for template, path in (("source.py.j2", lab.source), ("grader.py.j2", lab.tests),
                           ("calibrate.py.j2", lab.calibration.with_suffix(".py"))):  # fmt: skip
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        for key, value in facts.items():
            text = text.replace("{{ " + key + " }}", value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    shutil.copytree(TEMPLATES / "bank", lab.bank)
    return (*written, *sorted(path for path in lab.bank.rglob("*") if path.is_file()))


def _calibrate(lab: Lab) -> None:
    """Measure the toy's outcome, as its author will measure the real one."""
    script = lab.calibration.with_suffix(".py")
    subprocess.run([sys.executable, str(script)], cwd=paths.root(), check=True, capture_output=True)
    json.loads(lab.calibration.read_text(encoding="utf-8"))


def _mark_as_built(entry: LabEntry, lab: Lab) -> bool:
    """Take `planned` out of the syllabus and the phase's page; False where the page has no row to change."""
    path = paths.root() / "phases" / "syllabus.toml"
    text = path.read_text(encoding="utf-8")
    row = re.compile(rf'^("{re.escape(entry.syllabus_id)}" = \{{ .*?), planned = true \}}$', re.MULTILINE)
    path.write_text(row.sub(r"\1 }", text), encoding="utf-8")

    page = paths.root() / "phases" / lab.phase / "README.md"
    text = page.read_text(encoding="utf-8")
    link = f"../../{lab.notebook('labs').relative_to(paths.root()).as_posix()}"
    state = f"**built**: [open it]({link}), or `flipbook start {lab.id}`"
    changed, count = re.subn(
        rf"^(\| {re.escape(lab.id)} \|.*\| )planned( \|)$", rf"\1{state}\2", text, flags=re.MULTILINE
    )
    page.write_text(changed, encoding="utf-8")
    return count == 1
