"""Help in measured doses: the next hint, and the reference answer once a learner has earned or asked for it."""

from common.course.base import cells
from common.course.base.paths import CourseError, Lab
from common.course.learner import progress, workspace
from common.course.source import lab_source

MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")  # nbgrader's, which the build puts around what it blanks


def next_hints(lab: Lab, exercise: str, everything: bool = False) -> tuple[list[tuple[int, str]], int]:
    """The next hint of an exercise (or all of them) as `(number, markdown)`, and how many there are in all.

    What was shown is remembered, and after the last hint the last is shown again.

    Raises:
        CourseError: the exercise has no hints.
    """
    hints = lab_source.hints(lab).get(exercise)
    if not hints:
        raise CourseError(f"exercise {exercise} of lab {lab.id} has no hints.")
    seen = progress.exercise_of(progress.load(), lab.id, exercise).get("hints", 0)
    last = len(hints) if everything else min(seen + 1, len(hints))
    first = 1 if everything else last
    progress.note(
        lambda data: progress.exercise_record(data, lab.id, exercise).update(hints=max(seen, last)),
    )
    return [(number, hints[number - 1]) for number in range(first, last + 1)], len(hints)


def solution(lab: Lab, exercise: str, give_up: bool = False) -> str:
    """The reference answer's source.

    Raises:
        CourseError: the exercise has not passed and `give_up` is not set, or the solution is not built.
    """
    known = progress.exercise_of(progress.load(), lab.id, exercise)
    if not (known.get("passed") or known.get("gave_up") or give_up):
        raise CourseError(
            f"{exercise} has not passed yet. `flipbook hint {lab.id} {exercise}` helps you on; "
            f"`flipbook solution {lab.id} {exercise} --give-up` shows the answer now."
        )
    path = lab.notebook("solutions")
    if not path.exists():
        raise CourseError(f"{workspace.shown(path)} is not built: run `flipbook build {lab.id}`.")
    cell = cells.find_exercise(cells.read(path), exercise)
    if cell is None:
        raise CourseError(f"{workspace.shown(path)} has no exercise {exercise}: run `flipbook build {lab.id}`.")
    if not known.get("passed"):
        progress.note(
            lambda data: progress.exercise_record(data, lab.id, exercise).setdefault("gave_up", progress.now()),
        )
    lines = [line for line in cells.source(cell).splitlines() if line.strip() not in MARKERS]
    return "\n".join(lines).strip() + "\n"
