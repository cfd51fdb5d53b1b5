"""Collects the answers of a bank, from the course's own folders or from any tree of files, and says what is missing."""

from pathlib import Path

from common.course.banks.answers import Answer, read_answer
from common.course.banks.edits import read_edits
from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.source import lab_source
from common.course.source.lab_source import Exercise

MIN_WRONG, MIN_RIGHT = 6, 2  # answers that the course keeps of every exercise


def own_bank(labs: list[Lab]) -> list[Answer]:
    """The answers that the course keeps for these labs."""
    found = []
    for lab in labs:
        for exercise in lab_source.exercises(lab):
            edits = lab.bank / f"{exercise.name}.toml"
            for path in [*([edits] if edits.is_file() else []), *sorted((lab.bank / exercise.name).glob("*.py"))]:
                found += _read(path, lab, exercise, strict=True)
    return found


def strangers_bank(folder: Path, labs: list[Lab]) -> list[Answer]:
    """The answers in any tree of files: `EXERCISE.toml`, and Python files in a folder named after an exercise.

    A lab's `NN_name` on the path says which lab is meant. Where nothing says it, the exercise's name must belong to one
    of `labs` only.

    Raises:
        CourseError: there is no such folder, it holds no answers, or an exercise's name belongs to several labs.
    """
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is not a folder. --bank takes a folder of EXERCISE.toml, EXERCISE/wrong_*.py and "
            "EXERCISE/right_*.py."
        )
    homes: dict[str, list[tuple[Lab, Exercise]]] = {}
    for lab in labs:
        for exercise in lab_source.exercises(lab):
            homes.setdefault(exercise.name, []).append((lab, exercise))

    found = []
    for path in sorted(folder.resolve().rglob("*")):
        asked = {".py": path.parent.name, ".toml": path.stem}.get(path.suffix)
        candidates = homes.get(asked, [])
        if any(lab.stem in path.parts for lab in labs):
            candidates = [(lab, exercise) for lab, exercise in candidates if lab.stem in path.parts]
        if len(candidates) > 1:
            ids = ", ".join(lab.id for lab, _ in candidates)
            raise CourseError(f"{asked} is an exercise of {ids}: name the one you mean, as in `mutants {ids[:4]}`.")
        for lab, exercise in candidates:
            found += _read(path, lab, exercise, strict=False)
    if not found:
        raise CourseError(
            f"{folder} holds no answers: no .toml file and no folder of .py files is named after an exercise "
            f"({', '.join(homes)})."
        )
    return found


def of_exercise(name: str, labs: list[Lab], answers: list[Answer]) -> list[Answer]:
    """The answers of one exercise.

    Raises:
        CourseError: none of the labs has an exercise of this name.
    """
    known = [exercise.name for lab in labs for exercise in lab_source.exercises(lab)]
    if name not in known:
        raise CourseError(f"there is no exercise {name!r} here; there are {', '.join(known)}.")
    return [answer for answer in answers if answer.exercise == name]


def _read(path: Path, lab: Lab, exercise: Exercise, *, strict: bool) -> list[Answer]:
    if path.suffix == ".toml":
        return read_edits(path, lab, exercise, needs_reasons=strict)
    return [read_answer(path, lab, exercise.name, needs_docstring=strict)]


def strays(labs: list[Lab]) -> list[str]:
    """Folders and TOML files in the course's banks that no exercise is named after."""
    found = []
    for lab in labs:
        known = {exercise.name for exercise in lab_source.exercises(lab)} | {"__pycache__"}
        for path in sorted(lab.bank.iterdir()) if lab.bank.is_dir() else []:
            if (path.is_dir() or path.suffix == ".toml") and path.stem not in known:
                found.append(f"{path.relative_to(paths.root())} is named after no exercise of {lab.id}")
    return found


def shortages(labs: list[Lab], answers: list[Answer], exercise: str | None = None) -> list[str]:
    """Exercises (or the one that is named) of which the course keeps too few answers."""
    short = []
    for lab in labs:
        names = [e.name for e in lab_source.exercises(lab) if exercise in (None, e.name)]
        for name in names:
            for kind, least in (("wrong", MIN_WRONG), ("right", MIN_RIGHT)):
                count = sum((a.lab, a.exercise, a.kind) == (lab, name, kind) for a in answers)
                if count < least:
                    short.append(f"{lab.id} {name} has {count} {kind} answers; the course keeps at least {least}")
    return short
