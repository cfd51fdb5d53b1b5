"""One answer of a bank: the code of one exercise cell, wrong or right, and what it says of itself.

Right answers, and wrong ones that are written from scratch, are Python files. The folder names the exercise, the
beginning of the file's name the verdict that the answer must get:

    tests/labs/01_tensors/answers/02_frame_extractor/even_indices/right_loop.py

The first line of the docstring names the misconception (or, in a right answer, the approach). Each line such as
`Message: the last frame` gives words that the failing messages must contain. A wrong answer without words only has to
fail. Most wrong answers are edits of a base instead: see `edits`.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from common.course.base.paths import Lab

KINDS = ("wrong", "right")


@dataclass(frozen=True)
class Answer:
    """One answer. `malformed` says why it cannot be tried.

    `path` is a file, or `EXERCISE.toml#name` for one of the edits in a TOML file.
    """

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
        """The answer as reports call it: `double/wrong_abs.py` or `double.toml#abs`."""
        return f"{self.exercise}/{self.path.name}" if self.path.parent.name == self.exercise else self.path.name


def read_answer(path: Path, lab: Lab, exercise: str, *, needs_docstring: bool) -> Answer:
    """Read one Python file; what is wrong with the file itself ends up in `malformed`."""
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
