"""Turns the percent source of a lab into its notebook: answers cut in, headers, hints and nbgrader's marks written."""

from common.course.base.paths import CourseError, Lab
from common.course.building.hosted import with_badge
from common.course.building.notebooks import Draft, add_plain, with_seconds
from common.course.source import answer_key, grader_marks, lab_source
from common.course.source.answer_key import Part
from common.course.source.free_names import import_lines
from common.course.source.lab_source import Exercise
from common.course.source.library import Module
from common.course.source.percent import Cell, shown
from common.course.source.rules import role

IMPORTS_NOTE = "# What the exercises below use:"
OWED = (
    "*What every function here owes:* its inputs stay as they were; views and batches of any size work, a batch of one "
    "too; dtype and device are kept unless the docstring says otherwise; a second call remembers nothing of the first. "
    "The docstring is the contract, and the checks try it."
)


def draft_lab(lab: Lab) -> Draft:
    """The notebook of a lab with its answers, not yet run.

    Raises:
        CourseError: with file and line, for the first thing in source, library or grader that does not fit.
    """
    cells = lab_source.read(lab.source)
    writer = LabWriter(lab, cells)
    draft = Draft(lab.source, lab.id)
    for cell in cells:
        writer.write(draft, cell)
    return with_badge(with_seconds(draft), lab)


class LabWriter:
    """Writes each cell by its role. Everything a cell needs to know about the others is gathered first."""

    def __init__(self, lab: Lab, cells: list[Cell]):
        self.lab = lab
        self.exercises = {e.name: e for e in lab_source.exercises_of(cells)}
        self.parts = {e.name: answer_key.cut(e) for e in self.exercises.values() if e.library}
        self.points = grader_marks.points(lab)
        self.setups = [cell for cell in cells if "setup" in cell.keys.get("tags", [])]
        self._compare_with_grader()
        self.imports = self._imports()

    def write(self, draft: Draft, cell: Cell) -> None:
        what = role(cell)
        if what:
            getattr(self, f"_{what}")(draft, cell, cell.keys[what])
        elif cell in self.setups:
            self._setup(draft, cell)
        else:
            add_plain(draft, cell)

    def _setup(self, draft: Draft, cell: Cell) -> None:
        number = self.setups.index(cell) + 1
        name = "setup" if number == 1 else f"setup_{number}"
        text = cell.text + (self.imports if number == 1 else "")
        draft.add(cell, text, {"tags": _tags(cell), "nbgrader": _nbgrader(name, locked=True)}, base=name)

    def _about(self, draft: Draft, cell: Cell, name: str) -> None:
        number = 1 + list(self.exercises).index(name)
        if number == 1:
            draft.add(cell, OWED, {}, base="owed")
        text = with_header(cell.text, self.exercises[name], number, len(self.exercises))
        keys = {key: value for key, value in cell.keys.items() if key != "tags"}
        draft.add(cell, text, {"tags": _tags(cell), "flipbook": keys}, base=f"about-{name}")

    def _exercise(self, draft: Draft, cell: Cell, name: str) -> None:
        exercise, part = self.exercises[name], self.parts.get(name)
        keys = {"exercise": name, "from": exercise.library, "blank": list(exercise.blank)}
        metadata = {
            "tags": ["exercise", *_tags(cell)],
            "flipbook": {key: value for key, value in keys.items() if value},
            "nbgrader": _nbgrader(name, solution=True),
        }
        if part:
            draft.add(cell, part.marked, metadata, base=name, place=lambda line: _place_in_library(part, line))
        else:
            draft.add(cell, cell.text, metadata, base=name)

    def _check(self, draft: Draft, cell: Cell, name: str) -> None:
        metadata = {
            "tags": ["check", "nbval-check-output"],
            "flipbook": {"check": name},
            "nbgrader": _nbgrader(f"check_{name}", grade=True, locked=True, points=self.points[name]),
        }
        draft.add(cell, f'check("{self.lab.id}", "{name}")', metadata, base=f"check-{name}")

    def _hints(self, draft: Draft, cell: Cell, name: str) -> None:
        metadata = {"tags": _tags(cell), "flipbook": {"hints": name}}
        draft.add(cell, folded(lab_source.hint_list(cell)), metadata, base=f"hints-{name}")

    def _troubles(self, draft: Draft, cell: Cell, name: str) -> None:
        metadata = {"tags": _tags(cell), "flipbook": {"troubles": name}}
        draft.add(cell, trouble_folds(lab_source.trouble_list(cell)), metadata, base=f"troubles-{name}")

    def _answer(self, draft: Draft, cell: Cell, name: str) -> None:
        marks = _nbgrader(name, grade=True, solution=True, points=cell.keys["points"])
        draft.add(cell, cell.text, {"tags": _tags(cell), "flipbook": {"answer": name}, "nbgrader": marks}, base=name)

    def _imports(self) -> str:
        """What is added to the setup cell: the imports that it does not hold already."""
        if not self.setups:
            raise CourseError(f'{shown(self.lab.source)}:1: a lab needs a cell with tags=["setup"] for its imports.')
        setup = Module("the setup", self.lab.source, _aligned(self.setups))
        lines = import_lines(self.parts.values(), self.exercises.values(), setup)
        return "\n\n" + "\n".join([IMPORTS_NOTE, *lines]) if lines else ""

    def _compare_with_grader(self) -> None:
        for name in self.exercises:
            if name not in self.points:
                raise CourseError(f"{shown(self.lab.tests)}:1: no test is marked with the exercise {name!r}.")
        for name in self.points:
            if name not in self.exercises:
                raise CourseError(f"{shown(self.lab.tests)}:1: {name!r} is tested, and no exercise has this name.")


def _tags(cell: Cell) -> list[str]:
    return list(cell.keys.get("tags", []))


def _aligned(cells: list[Cell]) -> str:
    """The cells' text with each line at its own line number of the file, so that messages name the right one."""
    lines: list[str] = []
    for cell in cells:
        lines += [""] * (cell.first - 1 - len(lines)) + cell.text.splitlines()
    return "\n".join(lines)


def _place_in_library(part: Part, line: int) -> str:
    """Where a line of an exercise cell is in the library, `line` counted from 1 with the solution markers."""
    before = part.marked.splitlines()[: line - 1]
    markers = sum(text.strip() in (answer_key.BEGIN, answer_key.END) for text in before)
    return f"{shown(part.module.path)}:{part.first + line - 1 - markers}"


def _nbgrader(grade_id: str, **keys) -> dict:
    kinds = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"grade_id": grade_id, "schema_version": 3, **kinds, **keys}


def with_header(text: str, exercise: Exercise, number: int, total: int) -> str:
    """An exercise's text with the line of its number, difficulty, importance and minutes under the first heading."""
    facts = (
        f"**Exercise {number} of {total}** · difficulty {_dots(exercise.difficulty)} · "
        f"importance {_dots(exercise.importance)} · about {exercise.minutes:g} minutes"
    )
    lines = text.splitlines()
    heading = next(n for n, line in enumerate(lines) if line.startswith("#") and line.lstrip("#").startswith(" "))
    rest = "\n".join(lines[heading + 1 :]).strip("\n")
    return "\n".join([*lines[: heading + 1], "", facts, "", rest]).rstrip("\n")


def _dots(value: int) -> str:
    return "●" * int(value) + "○" * (5 - int(value))


def folded(hints: list[str]) -> str:
    """Each hint behind a line to click on."""
    blocks = [f"<details>\n<summary>Hint {n}</summary>\n\n{hint}\n\n</details>" for n, hint in enumerate(hints, 1)]
    return "\n\n".join(blocks)


def trouble_folds(troubles: list[tuple[str, str]]) -> str:
    """Usual mistakes, each behind what one sees of it."""
    return "\n\n".join(f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>" for title, text in troubles)
