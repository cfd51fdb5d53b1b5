"""What a worker of one lab sees of the course: a blanked library, one grader with control tests, the bundled data.

Control tests stand between the real ones in the grader's copy. Some must pass and some must fail, with words that only
this batch's random numbers give. A submission that bends the tools towards *pass* bends these too and is found out.
"""

import ast
import compileall
import json
import os
import py_compile
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from common.course import answer_key, paths, source
from common.course.paths import CourseError, Lab
from common.course.results import Result

CONTROL = "control"  # the exercise that control tests belong to
DATA = ("datasets",)

CONTROL_TEST = '''

@__import__("pytest").mark.exercise("control", points=0)
def {name}(lab):
    """the tools of the tests are whole"""
    import math, numpy, pytest, torch
    left, right = torch.tensor({left}), torch.tensor({right})
    first, second = left.numpy(), right.numpy()
    answers = [torch.equal(left, right), torch.allclose(left, right),
               bool((left == right).all()), bool((left < right).any()),
               numpy.array_equal(first, second), numpy.allclose(first, second), left.tolist() == right.tolist(),
               float((left - right).abs().max()) == 0.0, left.sum().item() == pytest.approx(right.sum().item()),
               math.isclose(left.max().item(), right.max().item()), all(a == b for a, b in zip(first, second))]
    word = "".join("NY"[bool(answer)] for answer in answers)
    {ending}
'''
# (statement, verdict it must get); {right} stands for the word that whole tools give
ENDINGS = [
    ('assert word == "{right}", word', "pass"),
    ('assert word == "{right}.", "{tag}" + word', "fail"),
    ('pytest.fail("{tag}" + word)', "fail"),
    ('raise AssertionError("{tag}" + word)', "fail"),
]


@dataclass(frozen=True)
class Control:
    """One control test: the verdict it must get, and words that its message must hold."""

    test: str
    status: str
    words: str

    def answered(self, status: str, message: str) -> bool:
        return status == self.status and (status == "pass" or self.words in message)


@dataclass
class Stage:
    """A folder that holds what workers of one lab may see."""

    lab: Lab
    folder: Path
    exercises: tuple[source.Exercise, ...]
    controls: dict[str, Control] = field(default_factory=dict)


def build(lab: Lab, folder: Path, *, link_data: bool) -> Stage:
    """Fill `folder` for one lab. The bundled data are linked, or left as empty folders to mount them on.

    Raises:
        CourseError: the lab has no grader, or its exercises do not stand in the library.
    """
    if not lab.tests.exists():
        raise CourseError(f"lab {lab.id} has no grader: {lab.tests} is missing.")
    answer_key.blanked_library(lab, folder)
    grader = folder / lab.tests.relative_to(paths.root())
    grader.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(lab.tests, grader)
    exercises = tuple(source.exercises(lab))
    _write_outline(folder / lab.notebook("labs").relative_to(paths.root()), exercises)
    for name in DATA:
        if (paths.root() / name).is_dir():
            os.symlink(paths.root() / name, folder / name) if link_data else (folder / name).mkdir(exist_ok=True)
    _compile(folder / "common")
    return Stage(lab, folder, exercises)


def add_controls(stage: Stage, tests: list[Result]) -> None:
    """Put control tests between the `tests` of the grader's copy, and remember what they must answer."""
    grader = stage.folder / stage.lab.tests.relative_to(paths.root())
    text, stage.controls = with_controls(grader.read_text(encoding="utf-8"), tests, random.SystemRandom())
    grader.write_text(text, encoding="utf-8")


def _compile(folder: Path) -> None:
    """Bytecode for every module, marked as never stale: the folder is read-only to those who import from it."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=2, invalidation_mode=unchecked):
        raise CourseError(
            f"a module of the library does not compile; run `python -m compileall {folder}` to see which."
        )


def _write_outline(path: Path, exercises) -> None:
    """A notebook that says which exercises there are and where in the library they live, and holds nothing else."""
    cells = [{"cell_type": "code", "metadata": {"flipbook": metadata(e)}, "source": ""} for e in exercises]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


def metadata(exercise: source.Exercise) -> dict:
    """What a cell's metadata say about its exercise; never taken from a submission."""
    known = {"exercise": exercise.name}
    if exercise.library:
        known |= {"from": exercise.library, "blank": list(exercise.blank)}
    return known


def with_controls(text: str, tests: list[Result], chance: random.Random) -> tuple[str, dict[str, Control]]:
    """The grader's text with a control test after the last of each exercise's `tests`; at least one must fail."""
    lines = text.splitlines()
    ends = sorted(_last_lines(ast.parse(text), tests), reverse=True)
    must_fail = ENDINGS[1:]
    chance.shuffle(must_fail)
    endings = [*must_fail, ENDINGS[0]]
    controls = {}
    for number, end in enumerate(ends):
        code, control = _control(endings[number % len(endings)], chance)
        controls[control.test] = control
        lines[end:end] = code.splitlines()
    return "\n".join(lines) + "\n", controls


def _last_lines(tree: ast.Module, tests: list[Result]) -> set[int]:
    """The line on which each exercise's last test ends."""
    exercise_of = {test.test.partition("[")[0].partition("::")[0]: test.exercise for test in tests}
    last = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in exercise_of:
            last[exercise_of[node.name]] = node.end_lineno
    return set(last.values())


def _control(ending: tuple[str, str], chance: random.Random) -> tuple[str, Control]:
    left = [float(chance.randrange(1, 99)) for _ in range(3)]
    same = chance.random() < 0.3
    right = list(left) if same else [left[0] + chance.randrange(1, 9), left[1], left[2] - 0.5]
    word = "YYYNYYYYYYY" if same else _word(left, right)
    tag, name = f"{chance.getrandbits(48):x}:", f"test_{chance.getrandbits(40):010x}"
    statement = ending[0].replace("{right}", word).replace("{tag}", tag)
    code = CONTROL_TEST.format(name=name, left=left, right=right, ending=statement)
    return code, Control(name, ending[1], tag + word)


def _word(left: list[float], right: list[float]) -> str:
    """What whole tools answer for these numbers, computed without them. The first number grew, the last one shrank."""
    equal_sum = abs(sum(left) - sum(right)) <= 1e-6 * abs(sum(right))
    equal_max = abs(max(left) - max(right)) <= 1e-9 * max(max(left), max(right))
    answers = [False, False, False, True, False, False, False, False, equal_sum, equal_max, False]
    return "".join("NY"[answer] for answer in answers)
