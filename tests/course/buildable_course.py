"""A course of one small lab, written as its source and its grader, for the tests that build it."""

import nbformat

from common.course.base.paths import Lab
from common.course.building import build

SOURCE = """\
# %% [markdown]
# # A tiny lab

# %% tags=["setup"]
import os

# %% [markdown] about="double" difficulty=2 importance=3 minutes=5
# ## Twice
# Return twice the number.

# %% exercise="double"
def double(x):
    \"\"\"Twice `x`.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="double"

# %% [markdown] hints="double"
# 1. What is twice three?
# 2. Multiply.
# 3. `2 * x`.

# %% tags=["demo"]
print(double(21), os.environ["FLIPBOOK_PRESET"], os.environ["OMP_NUM_THREADS"])
"""

GRADER = """\
import pytest


@pytest.mark.exercise("double", points=2)
@pytest.mark.parametrize("number", [-1, 1])
def test_double(lab, number):
    \"\"\"twice a number\"\"\"
    assert lab.double(number) == 2 * number


@pytest.mark.exercise("double")
def test_zero(lab):
    \"\"\"twice nothing is nothing\"\"\"
    assert lab.double(0) == 0
"""


class Course:
    """A course with one lab, 01.2; `.target` builds it."""

    def __init__(self, root):
        self.root, self.lab = root, Lab("01_tiny", "02_numbers")
        self.write(self.lab.source, SOURCE)
        self.write(self.lab.tests, GRADER)

    @property
    def target(self):
        return build.targets(("01.2",))[0]

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, old, new, path=None):
        path = path or self.lab.source
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def make_course(root, patch):
    patch.setenv("FLIPBOOK_ROOT", str(root))
    (root / "tests" / "labs").mkdir(parents=True)
    return Course(root)


def make_course_without_kernel(root, patch):
    """The course, with `pretend_to_run` in place of a kernel."""
    patch.setattr(build, "execute", pretend_to_run)
    return make_course(root, patch)


def pretend_to_run(draft, flipbook, on_cell=None):
    """In place of a kernel, for tests that are about files: every cell has run and printed nothing."""
    notebook = nbformat.from_dict(draft.notebook(flipbook))
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = number + 1
    return notebook
