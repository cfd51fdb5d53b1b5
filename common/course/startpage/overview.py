"""Where the learner stands: the syllabus, what is built, and the progress record, in one picture.

The `progress` command prints it and the start page draws it. Standard library only: both must answer at once.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from common.course.base import cells, paths
from common.course.base.paths import CourseError, Lab
from common.course.learner import progress, workspace
from common.course.source import lab_source, syllabus

DONE = "pass"


@dataclass(frozen=True)
class ExerciseState:
    """One exercise: `status` is that of its last check (`todo` before the first), `passed` whether it ever passed."""

    name: str
    status: str
    points: float
    earned: float
    passed: bool
    hints: int
    gave_up: bool


@dataclass(frozen=True)
class LabState:
    """One lab of the syllabus. A planned one has no exercises yet."""

    id: str
    title: str
    stars: int
    built: bool
    notebook: str  # the learner's copy, from the course's folder; empty for a planned lab
    started: bool
    checked: str  # when it was last checked, as ISO time; empty for never
    exercises: tuple[ExerciseState, ...] = ()

    @property
    def passed(self) -> int:
        return sum(exercise.status == DONE for exercise in self.exercises)

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    @property
    def earned(self) -> float:
        return sum(exercise.earned for exercise in self.exercises)

    @property
    def done(self) -> bool:
        return self.built and self.passed == len(self.exercises)


@dataclass(frozen=True)
class TutorialState:
    """One built tutorial: its title, and the learner's copy of it, from the course's folder."""

    title: str
    notebook: str


@dataclass(frozen=True)
class PhaseState:
    number: int
    title: str
    labs: tuple[LabState, ...]
    tutorials: tuple[TutorialState, ...]
    num_concepts: int
    readme: str  # its page, from the course's folder; empty where there is none
    page: LabState | None = None  # a page of short items that counts as no lab; None where there is none


@dataclass(frozen=True)
class Next:
    """What comes next: an exercise of a lab, or a lab to begin; `reason` says why in a few words."""

    lab: str
    title: str
    notebook: str
    exercise: str
    number: int  # of the exercise within its lab, from 1
    reason: str


@dataclass(frozen=True)
class Course:
    phases: tuple[PhaseState, ...]
    next: Next | None

    @property
    def labs(self) -> list[LabState]:
        return [lab for phase in self.phases for lab in phase.labs]

    @property
    def here(self) -> PhaseState | None:
        """The phase of what comes next."""
        return next((p for p in self.phases if self.next and self.next.lab in [lab.id for lab in p.labs]), None)

    @property
    def built(self) -> list[LabState]:
        return [lab for lab in self.labs if lab.built]

    def as_dict(self) -> dict:
        """Plain data for `progress --json`, with the sums that a reader would otherwise compute."""
        data = asdict(self)
        for phase, phase_data in zip(self.phases, data["phases"]):
            pairs = list(zip(phase.labs, phase_data["labs"]))
            for lab, lab_data in [*pairs, (phase.page, phase_data["page"])] if phase.page else pairs:
                lab_data.update(passed=lab.passed, points=lab.points, earned=lab.earned, done=lab.done)
        built = self.built
        data["totals"] = {
            "labs": len(self.labs),
            "built": len(built),
            "done": sum(lab.done for lab in built),
            "exercises": sum(len(lab.exercises) for lab in built),
            "passed": sum(lab.passed for lab in built),
            "points": sum(lab.points for lab in built),
            "earned": sum(lab.earned for lab in built),
        }
        return data


def look() -> Course:
    """The course as it stands now.

    Raises:
        CourseError: the syllabus cannot be read.
    """
    record = progress.load()
    built = {lab.id: lab for lab in paths.all_labs() if lab.notebook("labs").exists()}
    phases = tuple(_phase(phase, built, record) for phase in syllabus.read())
    return Course(phases, _what_next([lab for phase in phases for lab in phase.labs if lab.built]))


def next_lab() -> Lab:
    """The lab that comes next.

    Raises:
        CourseError: every lab that is built is done, or none is built.
    """
    coming = look().next
    if coming is None:
        raise CourseError("every lab that is built is done. Name one to start it again, as in `flipbook start 01.2`.")
    return lab_source.find_lab(coming.lab)


def _phase(phase: syllabus.Phase, built: dict[str, Lab], record: dict) -> PhaseState:
    labs = tuple(_lab(entry, built.get(entry.id), record) for entry in phase.labs)
    tutorials = tuple(
        TutorialState(_title(path), workspace.shown(workspace.copied_to(path)))
        for path in workspace.tutorials()
        if path.parent.name == phase.folder
    )
    items = _lab(phase.page, built.get(phase.page.id), record) if phase.page else None
    readme = page(f"{phase.folder}/README.md")
    return PhaseState(phase.number, phase.title, labs, tutorials, len(phase.concepts), readme, items)


def page(name: str) -> str:
    """A page of `phases/`, from the course's folder; empty where there is none."""
    path = paths.root() / "phases" / name
    return workspace.shown(path) if path.exists() else ""


def _lab(entry: syllabus.LabEntry, lab: Lab | None, record: dict) -> LabState:
    if lab is None:
        return LabState(entry.id, entry.title, entry.stars, False, "", False, "")
    known = record["labs"].get(lab.id, {})
    notebook = lab.notebook("work")
    exercises = tuple(
        _exercise(name, points, known.get("exercises", {}).get(name, {}))
        for name, points in _exercises_and_points(lab.notebook("labs"))
    )
    return LabState(
        entry.id,
        entry.title,
        entry.stars,
        True,
        workspace.shown(notebook),
        notebook.exists(),
        known.get("checked", ""),
        exercises,
    )


def _exercises_and_points(notebook: Path) -> tuple[tuple[str, float], ...]:
    return _outline(notebook, notebook.stat().st_mtime_ns)[1]


def _title(notebook: Path) -> str:
    return _outline(notebook, notebook.stat().st_mtime_ns)[0]


@lru_cache(maxsize=512)
def _outline(notebook: Path, changed: int) -> tuple[str, tuple[tuple[str, float], ...]]:
    """A notebook's title and its exercises with their points; read again only when the file has `changed`."""
    content = cells.read(notebook)
    headings = (cells.source(c).lstrip() for c in content["cells"] if c.get("cell_type") == "markdown")
    title = next((text[2:].split("\n", 1)[0].strip() for text in headings if text.startswith("# ")), "")
    named = title or notebook.stem.split("_", 1)[-1].replace("_", " ").capitalize()
    return named, tuple(cells.exercises(content).items())


def _exercise(name: str, points: float, known: dict) -> ExerciseState:
    """Points come from the release, so that a lab that was never checked has them too."""
    status = known.get("status", "todo")
    share = known.get("earned", 0) / known["points"] if known.get("points") else float(status == DONE)
    return ExerciseState(
        name,
        status,
        points,
        earned=round(points * share, 2),
        passed=bool(known.get("passed")),
        hints=known.get("hints", 0),
        gave_up=bool(known.get("gave_up")),
    )


def _what_next(labs: list[LabState]) -> Next | None:
    """The lab that was worked on last if it is not done, else the first in the course that is not.

    A check of a lab in which nothing is written is a look around, not work.
    """
    open_labs = [lab for lab in labs if not lab.done]
    if not open_labs:
        return None
    begun = [lab for lab in open_labs if any(exercise.status != "todo" for exercise in lab.exercises)]
    lab = max(begun, key=lambda lab: lab.checked) if begun else open_labs[0]
    number, exercise = next((i, e) for i, e in enumerate(lab.exercises, 1) if e.status != DONE)
    if not begun:
        reason = "not begun yet"
    elif exercise.status == "todo":
        reason = "next in the lab you are working on"
    else:
        reason = "does not pass yet"
    return Next(lab.id, lab.title, lab.notebook, exercise.name, number, reason)


def as_text(course: Course) -> str:
    """The progress table for the terminal."""
    lines = []
    for phase in course.phases:
        planned = sum(not lab.built for lab in phase.labs)
        note = f"  ({planned} planned)" if planned else ""
        lines.append(f"{phase.number:>2}  {phase.title}{note}")
        lines += [_lab_line(lab) for lab in (phase.page, *phase.labs) if lab and lab.built]
    totals = course.as_dict()["totals"]
    lines += [
        "",
        f"{totals['passed']} of {totals['exercises']} exercises pass, "
        f"{totals['earned']:g} of {totals['points']:g} points;"
        f" {totals['done']} of {totals['built']} labs done.",
    ]
    if course.next:
        coming = course.next
        lines.append(f"Next: lab {coming.lab}, exercise {coming.number}, {coming.exercise} ({coming.reason})")
        lines.append(f"      {coming.notebook}")
    elif totals["built"]:
        lines.append("Every lab that is built is done.")
    return "\n".join(lines)


def _lab_line(lab: LabState) -> str:
    total = len(lab.exercises)
    filled = round(10 * lab.passed / total) if total else 0
    bar = "█" * filled + "·" * (10 - filled)
    return f"      {lab.id}  {bar}  {lab.passed}/{total}  {lab.earned:g}/{lab.points:g} points  {lab.title}"
