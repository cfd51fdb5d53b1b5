"""The banks of answers: files that hold one exercise cell each, wrong or right, and say what they are.

    tests/labs/01_tensors/answers/02_frame_extractor/even_indices/wrong_open_end.py

The folder is the exercise, the file name's beginning the verdict it must get. The docstring at the top names the
misconception in its first line; a line `Message: the last frame` gives words that a failing message must contain.
Several such lines must all be found. An answer without one only has to fail.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.source import lab_source

MIN_WRONG, MIN_RIGHT = 6, 2  # answers that the course keeps of every exercise
KINDS = ("wrong", "right")


@dataclass(frozen=True)
class Answer:
    """One file of a bank. `malformed` says why it cannot be tried."""

    lab: Lab
    exercise: str
    kind: str
    path: Path
    code: str = ""
    misconception: str = ""
    words: tuple[str, ...] = ()
    malformed: str = ""

    @property
    def name(self) -> str:
        return f"{self.exercise}/{self.path.name}"


def read_answer(path: Path, lab: Lab, exercise: str, *, needs_docstring: bool) -> Answer:
    """Read one answer file; what is wrong with the file itself ends up in `malformed`."""
    kind = path.name.split("_")[0]
    if kind not in KINDS:
        return Answer(lab, exercise, "", path, malformed="its name must begin with wrong_ or right_")
    try:
        code = path.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(code)) or ""
    except (SyntaxError, ValueError) as error:
        return Answer(lab, exercise, kind, path, malformed=f"it is not Python: {error}")
    if needs_docstring and not docstring:
        return Answer(lab, exercise, kind, path, code, malformed="it has no docstring that names the misconception")
    lines = docstring.splitlines()
    words = tuple(
        line.split(":", 1)[1].strip().strip("\"'`“”") for line in lines if line.strip().lower().startswith("message:")
    )
    return Answer(lab, exercise, kind, path, code, lines[0] if lines else "", words)


def own_bank(labs: list[Lab]) -> list[Answer]:
    """The answers that the course keeps for these labs."""
    return [
        read_answer(path, lab, exercise.name, needs_docstring=True)
        for lab in labs
        for exercise in lab_source.exercises(lab)
        for path in sorted((lab.bank / exercise.name).glob("*.py"))
    ]


def strangers_bank(folder: Path, labs: list[Lab]) -> list[Answer]:
    """The answers in any tree of files: the folder that holds a file names its exercise.

    A lab's `NN_name` on the path says which lab is meant. Where nothing says it, the exercise's name must belong to one
    of `labs` only.

    Raises:
        CourseError: there is no such folder, it holds no answers, or an exercise's name belongs to several labs.
    """
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is not a folder. --bank takes a folder of EXERCISE/wrong_*.py and EXERCISE/right_*.py."
        )
    homes: dict[str, list[Lab]] = {}
    for lab in labs:
        for exercise in lab_source.exercises(lab):
            homes.setdefault(exercise.name, []).append(lab)

    found = []
    for path in sorted(folder.resolve().rglob("*.py")):
        candidates = homes.get(path.parent.name, [])
        named = [lab for lab in labs if lab.stem in path.parts]
        candidates = [lab for lab in candidates if lab in named] if named else candidates
        if len(candidates) > 1:
            ids = ", ".join(lab.id for lab in candidates)
            raise CourseError(
                f"{path.parent.name} is an exercise of {ids}: name the one you mean, as in `mutants {ids[:4]}`."
            )
        if candidates:
            found.append(read_answer(path, candidates[0], path.parent.name, needs_docstring=False))
    if not found:
        names = ", ".join(homes)
        raise CourseError(f"{folder} holds no answers: no .py file lies in a folder named after an exercise ({names}).")
    return found


def strays(labs: list[Lab]) -> list[str]:
    """Folders in the course's banks that no exercise is named after."""
    return [
        f"{folder.relative_to(paths.root())} is named after no exercise of {lab.id}"
        for lab in labs
        if lab.bank.is_dir()
        for folder in sorted(lab.bank.iterdir())
        if folder.is_dir()
        and folder.name not in {exercise.name for exercise in lab_source.exercises(lab)} | {"__pycache__"}
    ]


def shortages(labs: list[Lab], answers: list[Answer]) -> list[str]:
    """Exercises of which the course keeps too few answers."""
    short = []
    for lab in labs:
        for exercise in lab_source.exercises(lab):
            for kind, least in (("wrong", MIN_WRONG), ("right", MIN_RIGHT)):
                count = sum((a.lab, a.exercise, a.kind) == (lab, exercise.name, kind) for a in answers)
                if count < least:
                    short.append(
                        f"{lab.id} {exercise.name} has {count} {kind} answers; the course keeps at least {least}"
                    )
    return short
