"""A tiny course in a temporary folder: one lab with three exercises, its notebooks and its grader, written directly."""

import json
import textwrap

import pytest

from common.course.base import paths
from common.course.checking import runner
from common.course.learner import workspace
from tests.course.learner_copies import write_release

GRADER = '''
"""The grader of a tiny lab."""

import pytest


@pytest.mark.exercise("double", points=1)
def test_double_of_three(lab):
    """twice three is six"""
    got = lab.double(3)
    assert got == 6, f"twice 3 is 6, and yours gives {got}"


@pytest.mark.exercise("double", points=2, hint="What is twice a negative number?")
@pytest.mark.parametrize("number", [-2, 0])
def test_double_of_others(lab, number):
    """twice a number that is not positive"""
    got = lab.double(number)
    assert got == 2 * number, f"the sign is lost: twice {number} is {2 * number}, and yours gives {got}"


@pytest.mark.exercise("quadruple", points=3, needs=("double",))
def test_quadruple(lab, seed):
    """four times a number, built from double"""
    number = 3 + seed
    got = lab.quadruple(number)
    assert got == 4 * number, f"four times {number} is {4 * number}, and yours gives {got}"


@pytest.mark.exercise("greeting", points=1, hint="A greeting names the person.")
def test_greeting(lab):
    """the greeting contains the name"""
    assert "Ada" in lab.greeting("Ada"), "the name is missing from the greeting"
'''

SOURCE = '''
# %% [markdown]
# # A tiny lab
# %% tags=["setup"]
import math
# %% [markdown] about="double" difficulty=1 importance=1 minutes=1
# ## Twice
# Return twice the number.
# %% exercise="double"
def double(x):
    """Twice `x`."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
# %% check="double"
# %% [markdown] hints="double"
# 1. What is twice three?
# 2. Multiply.
# 3. `2 * x`.
# %% [markdown] about="quadruple" difficulty=1 importance=1 minutes=1
# ## Four times
# %% exercise="quadruple"
def quadruple(x):
    """Four times `x`."""
    ### BEGIN SOLUTION
    return double(double(x))
    ### END SOLUTION
# %% check="quadruple"
# %% [markdown] hints="quadruple"
# 1. You have `double`.
# 2. Use it twice.
# 3. `double(double(x))`.
# %% [markdown] about="greeting" difficulty=1 importance=1 minutes=1
# ## Hello
# %% exercise="greeting"
def greeting(name):
    """A greeting for `name`."""
    ### BEGIN SOLUTION
    return f"Hello {name}"
    ### END SOLUTION
# %% check="greeting"
# %% [markdown] hints="greeting"
# 1. Say hello.
# 2. Use the name.
# 3. An f-string.
'''

ANSWERS = {
    "double": 'def double(x):\n    """Twice `x`."""\n    return 2 * x',
    "quadruple": 'def quadruple(x):\n    """Four times `x`."""\n    return double(double(x))',
    "greeting": 'def greeting(name):\n    """A greeting for `name`."""\n    return f"Hello {name}"',
}


def stub(name: str) -> str:
    """The released form of an exercise: signature, docstring, nbgrader's stub."""
    head = ANSWERS[name].splitlines()[:2]
    return "\n".join([*head, "    # YOUR CODE HERE", "    raise NotImplementedError"])


def make_notebook(cells: dict | None = None, setup: str = "import math", extra: list | None = None) -> dict:
    """A notebook of the tiny lab. `cells` maps an exercise to its source; others get the reference answer."""
    sources = ANSWERS | (cells or {})
    made = [code_cell(setup, tags=["setup"])]
    for name, source in sources.items():
        made.append(code_cell(source, tags=["exercise"], flipbook={"exercise": name}))
        made.append(code_cell(f'check("01.1", "{name}")', tags=["check"], flipbook={"check": name}))
    made += extra or []
    return {"cells": made, "metadata": {"flipbook": {"lab": "01.1"}}, "nbformat": 4, "nbformat_minor": 5}


def code_cell(source: str, **metadata) -> dict:
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


class MiniCourse:
    """The tiny course: `.root`, `.lab`, and `.write(target, cells)` to put a notebook there."""

    answers, grader = ANSWERS, GRADER
    stub, make_notebook, code_cell = staticmethod(stub), staticmethod(make_notebook), staticmethod(code_cell)

    def __init__(self, root):
        self.root = root
        self.lab = paths.Lab("01_tiny", "01_numbers")

    def write(self, target="work", cells=None, **options):
        """Write a notebook into `work`, `labs`, `solutions`, or to a path; returns its path."""
        file = self.lab.notebook(target) if target in ("work", "labs", "solutions") else target
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(make_notebook(cells, **options)))
        return file

    def run(self, cells=None, exercise=None, setup="import math", **options):
        """Results by test name, for the learner's notebook with these answers (the others are right)."""
        file = self.write(cells=cells, setup=setup)
        return {r.test: r for r in runner.run_tests(self.lab, exercise, submission=file, **options)}

    def write_grader(self, text):
        self.lab.tests.parent.mkdir(parents=True, exist_ok=True)
        self.lab.tests.write_text(textwrap.dedent(text).lstrip())


def build_course(root, monkeypatch) -> MiniCourse:
    """A course in `root` with lab 01.1 of three exercises: `double`, `quadruple` (needs double), `greeting`."""
    monkeypatch.setenv("FLIPBOOK_ROOT", str(root))
    for name in ("NBGRADER_EXECUTION", "FLIPBOOK_STRICT"):
        monkeypatch.delenv(name, raising=False)
    (root / "tests" / "labs").mkdir(parents=True)
    course = MiniCourse(root)
    course.write_grader(GRADER)
    course.lab.source.parent.mkdir(parents=True)
    course.lab.source.write_text(SOURCE.lstrip())
    course.write("solutions")
    course.write("labs", {name: stub(name) for name in ANSWERS})
    return course


@pytest.fixture
def mini_course(tmp_path, monkeypatch):
    """The tiny course, in a folder of its own for each test."""
    return build_course(tmp_path, monkeypatch)


@pytest.fixture
def started(mini_course):
    """The tiny lab as a release with ids, nbgrader's metadata and a link, and a copy of it in work/."""
    write_release(mini_course)
    workspace.start(mini_course.lab)
    return mini_course


@pytest.fixture(scope="session")
def make_course():
    """`make_course(root, monkeypatch)`, for a course that several tests share."""
    return build_course
