"""What a worker of one lab sees of the course: a blanked library, one grader with control tests, the bundled data.

Control tests stand between the real ones in the grader's copy. Each must fail, with words that only whole tools give
for this batch's random numbers. A submission that bends the tools towards *pass* bends these too, and is found out.
"""

import ast
import compileall
import json
import os
import py_compile
import random
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.base.results import Result
from common.course.source import answer_key, lab_source

DATA = ("datasets",)

CONTROL_TEST = '''

@__import__("pytest").mark.exercise("control", points=0)
def {name}(lab):
    """the tools of the tests are whole"""
    import math, pytest, sys
    left, right = {left}, {right}
    answers = [left == right, any(a < b for a, b in zip(left, right)), math.isclose(max(left), max(right)),
               sum(left) == pytest.approx(sum(right)), isinstance(left, str), len(left) == 3]
    if "torch" in sys.modules:
        torch, numpy = sys.modules["torch"], sys.modules["numpy"]
        left, right = torch.tensor(left), torch.tensor(right)
        first, second = left.numpy(), right.numpy()
        answers += [torch.equal(left, right), torch.allclose(left, right), bool((left == right).all()),
                    bool((left < right).any()), numpy.array_equal(first, second), numpy.allclose(first, second),
                    left.tolist() == right.tolist(), float((left - right).abs().max()) == 0.0]
    word = "{tag}:" + "".join("NY"[bool(answer)] for answer in answers) + "."
    {ending}
'''
ENDINGS = ("assert not word, word", "pytest.fail(word)", "raise AssertionError(word)")


@dataclass(frozen=True)
class Control:
    """A control test, and the words that its failure must hold: without torch, and with it."""

    test: str
    plain: str
    whole: str

    def answered(self, status: str, message: str, with_torch: bool) -> bool:
        return status == "fail" and (self.whole if with_torch else self.plain) in message


@dataclass
class Stage:
    """A folder that holds what workers of one lab may see."""

    lab: Lab
    folder: Path
    exercises: tuple[lab_source.Exercise, ...]
    with_torch: bool
    controls: dict[str, Control] = field(default_factory=dict)


def build(lab: Lab, folder: Path, *, link_data: bool) -> Stage:
    """Fill `folder` for one lab. The bundled data are linked, or left as empty folders to mount them on.

    Raises:
        CourseError: the lab has no grader, or its exercises are not in the library.
    """
    if not lab.tests.exists():
        raise CourseError(f"lab {lab.id} has no grader: {lab.tests} is missing.")
    answer_key.blanked_library(lab, folder)
    grader = folder / lab.tests.relative_to(paths.root())
    grader.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(lab.tests, grader)
    if lab.calibration.exists():  # what a grader reads is staged with it
        calibration = folder / lab.calibration.relative_to(paths.root())
        calibration.parent.mkdir(exist_ok=True)
        shutil.copyfile(lab.calibration, calibration)
    exercises = tuple(lab_source.exercises(lab))
    _write_outline(folder / lab.notebook("labs").relative_to(paths.root()), exercises)
    for name in DATA:
        if (paths.root() / name).is_dir():
            os.symlink(paths.root() / name, folder / name) if link_data else (folder / name).mkdir(exist_ok=True)
    _compile(folder / "common")
    return Stage(lab, folder, exercises, needs_torch([grader.read_text(encoding="utf-8")]))


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


def metadata(exercise: lab_source.Exercise) -> dict:
    """What a cell's metadata say about its exercise; never taken from a submission."""
    known = {"exercise": exercise.name}
    if exercise.library:
        known |= {"from": exercise.library, "blank": list(exercise.blank)}
    return known


def with_controls(text: str, tests: list[Result], chance: random.Random) -> tuple[str, dict[str, Control]]:
    """The grader's text with a control test after the last of each exercise's `tests`."""
    lines = text.splitlines()
    controls = {}
    for end in sorted(_last_lines(ast.parse(text), tests), reverse=True):
        code, control = _control(chance)
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


def _control(chance: random.Random) -> tuple[str, Control]:
    """A control test, and what whole tools make of its numbers: computed here, without them."""
    left = [float(chance.randrange(1, 99)) for _ in range(3)]
    same = chance.random() < 0.5
    right = list(left) if same else [left[0] + chance.randrange(1, 9), left[1], left[2] - 0.5]
    equal_sum = abs(sum(left) - sum(right)) <= 1e-6 * abs(sum(right))
    equal_max = abs(max(left) - max(right)) <= 1e-9 * max(max(left), max(right))
    plain = [same, not same, equal_max, equal_sum, False, True]
    whole = [*plain, same, same, same, not same, same, same, same, same]
    tag, name = f"{chance.getrandbits(48):x}", f"test_{chance.getrandbits(40):010x}"
    code = CONTROL_TEST.format(name=name, left=left, right=right, tag=tag, ending=chance.choice(ENDINGS))
    words = [f"{tag}:{''.join('NY'[answer] for answer in answers)}." for answers in (plain, whole)]
    return code, Control(name, *words)


def needs_torch(texts: list[str]) -> bool:
    """Whether code may use torch: it imports something that is neither the standard library nor the course's own."""
    known = sys.stdlib_module_names | {"pytest"}
    for text in texts:
        modules = re.findall(r"(?m)^\s*(?:from|import)\s+([\w.]+)", text)
        if "torch" in text or any(m.partition(".")[0] not in known and m != "common.course" for m in modules):
            return True
    return False
