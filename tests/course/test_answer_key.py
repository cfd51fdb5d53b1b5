"""The library is the answer key: what is cut out works by itself, what is blanked says nothing of the answer."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

import common
from common.course.base.paths import CourseError, Lab
from common.course.building.lab_cells import draft_lab
from common.course.building.release import release
from common.course.errors import AnswerKeyUsed
from common.course.source import answer_key
from common.course.source.free_names import free_names, import_lines
from common.course.source.lab_source import Exercise
from common.course.source.library import Module, library_root

# The word SECRET stands where an answer would be given away.
LIBRARY = '''
"""Parts of every kind that an exercise may ask for."""

import math
from dataclasses import dataclass, field
from functools import lru_cache as remembered

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config

SCALE = 3
_OFFSETS = (1, 2)


def helper(x):
    """Adds one."""
    return x + 1


@remembered(maxsize=None)
def scaled(x: int, by: "float" = SCALE) -> "torch.Size":
    """`x` times `by`, plus one.

    A docstring of several lines.
    """

    # SECRET: a comment before the first statement
    product = x * by  # SECRET
    text = """
  SECRET: less indented than the code around it
    """
    return helper(product) + 0 * len(text)
    # SECRET: a comment after the last statement


def counted(stop):
    """Yields 0, 1, ... below `stop`."""
    for number in range(stop):
        yield number  # SECRET


class Shapes:
    """Has two methods to write and two that stay."""

    sides = _OFFSETS

    def __init__(self, radius):
        self.radius = radius

    def area(self):
        """Area of the disc."""
        return math.pi * self.radius**2  # SECRET

    @staticmethod
    def double(x):
        """Twice `x`."""
        return 2 * x  # SECRET

    @property
    def diameter(self):
        return Shapes.double(self.radius)


@dataclass
class Clip:
    """A few frames and what is known of them."""

    num_frames: int
    tags: list = field(default_factory=list)

    def seconds(self, fps: float) -> float:
        """Duration at a rate."""
        return self.num_frames / fps  # SECRET


class Scale(ModelMixin, ConfigMixin):
    """Multiplies by a learned number."""

    @register_to_config
    def __init__(self, start: float = 2.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(start))

    def forward(self, x):
        """`x` times the weight."""
        return self.weight * x  # SECRET
'''

LAB_CELLS = {
    "helper": ("helper", ""),
    "scaled": ("scaled", ""),
    "counted": ("counted", ""),
    "Shapes": ("Shapes", "area,double"),
    "Clip": ("Clip", "seconds"),
    "Scale": ("Scale", "forward"),
}
KINDS = [name for name in LAB_CELLS if name != "helper"]


def works(name, part):
    """What must hold of a part, wherever it was compiled."""
    if name == "scaled":
        assert part(2) == 7 and part.cache_info().misses == 1
    elif name == "counted":
        assert list(part(3)) == [0, 1, 2]
    elif name == "Shapes":
        assert round(part(2).area(), 3) == 12.566 and part.double(4) == 8 and part(2).diameter == 4
        assert part.sides == (1, 2)
    elif name == "Clip":
        assert part(48).seconds(24) == 2 and part(1) == part(1, [])
    else:
        assert part(start=5.0)(2).item() == 10 and part().config.start == 2.0


def calls(name, part):
    """Each blanked body once, as functions to call."""
    return {
        "scaled": lambda: [lambda: part(2)],
        "counted": lambda: [lambda: list(part(3))],
        "Shapes": lambda: [part(2).area, lambda: part.double(4), lambda: part(2).diameter],
        "Clip": lambda: [lambda: part(48).seconds(24)],
        "Scale": lambda: [lambda: part()(2)],
    }[name]()


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course whose library is LIBRARY (`common.parts`), importable; and one lab that asks for all of it."""
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    (tmp_path / "common").mkdir()
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    (tmp_path / "common" / "parts.py").write_text(LIBRARY)
    monkeypatch.setattr(common, "__path__", [*common.__path__, str(tmp_path / "common")])
    yield tmp_path
    sys.modules.pop("common.parts", None)


def exercise(name, blank=None):
    target, methods = LAB_CELLS.get(name, (name, ""))
    methods = methods if blank is None else blank
    return Exercise(name, f"common.parts:{target}", tuple(m for m in methods.split(",") if m))


def write_lab(root, names):
    lab = Lab("01_tiny", "01_parts")
    cells = ['# %% tags=["setup"]', "from common.course import check", ""]
    tests = ["import pytest"]
    for name in names:
        blank = f' blank="{LAB_CELLS[name][1]}"' if LAB_CELLS[name][1] else ""
        cells += [f'# %% [markdown] about="{name}" difficulty=1 importance=1 minutes=1', f"# ## {name}", ""]
        cells += [f'# %% exercise="{name}" from="common.parts:{name}"{blank}', "", f'# %% check="{name}"', ""]
        cells += [f'# %% [markdown] hints="{name}"', "# 1. a", "# 2. b", "# 3. c", ""]
        tests += [f'@pytest.mark.exercise("{name}")', f'def test_{name}(lab): "{name}"']
    for path, text in ((lab.source, cells), (lab.tests, tests)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(text) + "\n")
    return lab


@pytest.fixture
def lab(course):
    return write_lab(course, LAB_CELLS)


def run_cells(cells, names):
    """The namespace after the setup cell and the named exercises."""
    namespace = {"__name__": "lab"}
    for cell in cells:
        if cell["id"] in ("setup", *names):
            exec(compile(cell["source"], f"<{cell['id']}>", "exec", dont_inherit=True), namespace)
    return namespace


@pytest.mark.parametrize("name", KINDS)
def test_the_solution_cell_works_by_itself(lab, name):
    """with the generated imports and the lab's other exercises, a part does what the library's does"""
    cells = draft_lab(lab).cells
    works(name, run_cells(cells, ["helper", name])[name])
    works(name, getattr(importlib.import_module("common.parts"), name))


@pytest.mark.parametrize("name", KINDS)
def test_the_released_cell_keeps_the_outside_and_blanks_the_inside(lab, name):
    """signature, docstrings, fields and unnamed methods stay; every blanked body is nbgrader's stub"""
    cells = release(draft_lab(lab).notebook({"lab": lab.id}))["cells"]
    text = next(cell["source"] for cell in cells if cell["id"] == name)
    assert "SECRET" not in text and "SOLUTION" not in text
    stub = run_cells(cells, ["helper", name])[name]
    real = getattr(importlib.import_module("common.parts"), name)
    assert inspect.getdoc(stub) == inspect.getdoc(real)
    assert str(inspect.signature(stub)) == str(inspect.signature(real))
    for call in calls(name, stub):
        with pytest.raises(NotImplementedError):
            call()
    num_bodies = max(1, len(exercise(name).blank))
    assert text.count("# YOUR CODE HERE") == num_bodies


def test_docstrings_and_other_methods_survive_the_release(lab):
    cells = release(draft_lab(lab).notebook({"lab": lab.id}))["cells"]
    shapes = run_cells(cells, ["Shapes"])["Shapes"]
    assert shapes.area.__doc__ == "Area of the disc." and shapes.double.__doc__ == "Twice `x`."
    assert shapes(2).radius == 2


def test_comments_of_the_answer_are_inside_the_markers(course):
    """a comment before the first or after the last statement may tell the answer"""
    lines = answer_key.cut(exercise("scaled")).marked.splitlines()
    begin, end = (next(n for n, line in enumerate(lines) if mark in line) for mark in ("BEGIN", "END"))
    assert [n for n, line in enumerate(lines) if "SECRET" in line and not begin < n < end] == []
    assert lines[begin] == "    ### BEGIN SOLUTION" and lines[end] == "    ### END SOLUTION"


@pytest.mark.parametrize("name", KINDS)
def test_the_blanked_library_says_so_instead_of_answering(lab, tmp_path, monkeypatch, name):
    dest = answer_key.blanked_library(lab, tmp_path / "sandbox")
    assert "SECRET" not in (dest / "common" / "parts.py").read_text()
    monkeypatch.setattr(common, "__path__", [*common.__path__[:-1], str(dest / "common")])
    sys.modules.pop("common.parts", None)
    part = getattr(importlib.import_module("common.parts"), name)
    for call in calls(name, part):
        with pytest.raises(AnswerKeyUsed, match=f"common.parts.{name} is the answer to this exercise; write your own"):
            call()


def test_only_the_lab_s_own_parts_are_blanked(course, tmp_path):
    lab = write_lab(course, ["Clip"])
    blanked = (answer_key.blanked_library(lab, tmp_path / "sandbox") / "common" / "parts.py").read_text()
    before, after = ast.parse(LIBRARY), ast.parse(blanked)
    changed = [a.name for a, b in zip(before.body, after.body) if ast.dump(a) != ast.dump(b)]
    assert changed == ["Clip"]


def test_a_second_blanking_writes_nothing_and_a_changed_library_writes_again(lab, tmp_path):
    dest = answer_key.blanked_library(lab, tmp_path / "sandbox")
    copy = dest / "common" / "parts.py"
    first = copy.stat().st_mtime_ns
    answer_key.blanked_library(lab, dest)
    assert copy.stat().st_mtime_ns == first
    (tmp_path / "common" / "parts.py").write_text(LIBRARY + "\nEXTRA = 1\n")
    answer_key.blanked_library(lab, dest)
    assert "EXTRA = 1" in copy.read_text() and "SECRET" not in copy.read_text()


def test_free_names_are_those_of_the_module_and_no_locals(course):
    names = {n: free_names(answer_key.cut(exercise(n))) for n in KINDS}
    assert names["scaled"] >= {"remembered", "SCALE", "helper", "torch"}
    assert names["scaled"].isdisjoint({"x", "by", "product", "scaled"})
    assert names["Shapes"] >= {"math", "_OFFSETS"} and "Shapes" not in names["Shapes"]
    assert names["Scale"] >= {"ModelMixin", "ConfigMixin", "register_to_config", "torch"}


def lines_for(*names, also=(), setup=""):
    exercises = [exercise(name) for name in (*names, *also)]
    parts = [answer_key.cut(exercise(name)) for name in names]
    return import_lines(parts, exercises, Module("the setup", Path("setup.py"), setup))


def test_imports_are_generated_and_the_learner_s_own_parts_left_out(course):
    assert lines_for("scaled") == [
        "import torch",
        "from common.parts import SCALE, helper",
        "from functools import lru_cache as remembered",
    ]
    assert "helper" not in "".join(lines_for("scaled", also=["helper"]))


def test_what_the_setup_imports_is_not_imported_again(course):
    assert lines_for("scaled", setup="import torch\nfrom common.parts import helper, SCALE") == [
        "from functools import lru_cache as remembered"
    ]
    with pytest.raises(CourseError, match=r"setup.py:1: the setup binds torch to something else"):
        lines_for("scaled", setup="torch = None")


REFUSED = {
    "from future": ("from __future__ import annotations\n\n\ndef part(x):\n    return x\n", "", ":1: .*__future__"),
    "relative": ("from .parts import helper\n\n\ndef part(x):\n    return x\n", "", ":1: a relative import"),
    "star": ("from math import *\n\n\ndef part(x):\n    return x\n", "", ":1: a star import"),
    "inner": ("def maker():\n    def part(x):\n        return x\n", "", ":1: part is defined inside maker"),
    "closure": (
        "def part(k):\n    def inner(x):\n        return x * k\n    return inner\n",
        "",
        ":2: inner is a closure over k",
    ),
    "global": ("COUNT = 0\n\n\ndef part(x):\n    global COUNT\n    COUNT += x\n", "", ":4: part rebinds .*COUNT"),
    "list": ("seen = []\n\n\ndef part(x):\n    seen.append(x)\n", "", ":1: seen is a mutable global"),
    "dict call": ("seen = dict()\n\n\ndef part(x):\n    return seen[x]\n", "", ":1: seen is a mutable global"),
    "rebound": (
        "count = 0\n\n\ndef part():\n    return count\n\n\ndef bump():\n    global count\n    count += 1\n",
        "",
        ":1: count is a mutable global",
    ),
    "missing": ("def other(x):\n    return x\n", "", ":1: there is no part here; this module defines other"),
    "handed on": ("from math import sqrt as part\n", "", ":1: part is only handed on here.*math"),
    "value": ("part = 3\n", "", ":1: part is neither a function nor a class"),
    "no method": ("class part:\n    def f(self):\n        return 1\n", "g", ":1: part has no method 'g'.* are f"),
    "class whole": ("class part:\n    def f(self):\n        return 1\n", "", ":1: part is a class: say which methods"),
    "function blank": ("def part(x):\n    return x\n", "f", ":1: part is a function"),
    "one line": ("def part(x): return x\n", "", ":1: part has its body on the line of its signature"),
    "no body": ('def part(x):\n    """Only says what it does."""\n', "", ":1: part has no body"),
    "unbound": ("def part(x):\n    return sqrt(x)\n", "", ":1: part uses sqrt, which this module does not bind"),
    "file": ("def part():\n    return __file__\n", "", ":1: part uses __file__"),
    "syntax": ("def part(:\n    return 1\n", "", ":1: invalid syntax"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_stand_in_a_notebook_is_refused(course, reason):
    text, blank, message = REFUSED[reason]
    (course / "common" / "odd.py").write_text(text)
    asked = Exercise("part", "common.odd:part", tuple(m for m in blank.split(",") if m))
    with pytest.raises(CourseError, match=f"common/odd.py{message}"):
        import_lines([answer_key.cut(asked)], [asked], Module("the setup", Path("setup.py"), ""))


def test_a_missing_module_is_named(course):
    with pytest.raises(CourseError, match=r"f comes from common\.nowhere:f, and there is no common\.nowhere"):
        answer_key.cut(Exercise("f", "common.nowhere:f"))


def test_a_comment_at_the_margin_does_not_set_the_indent(course):
    text = "class part:\n    def f(self):\n    # at the margin\n        return 1\n\n\nAFTER = 1\n"
    (course / "common" / "odd.py").write_text(text)
    part = answer_key.cut(Exercise("part", "common.odd:part", ("f",)))
    assert "        ### BEGIN SOLUTION\n    # at the margin\n" in part.marked
    ast.parse(answer_key.blanked([part])[part.module.path])


def test_every_function_and_class_of_the_library_can_be_cut_and_blanked():
    """what is between the markers is a body, and nothing else: outside, trees are equal"""
    num_parts = 0
    for path in sorted((library_root() / "common").rglob("*.py")):
        module = Module("module", path, path.read_text())
        for node in module.tree.body:
            methods = [n.name for n in getattr(node, "body", []) if does_something(n)]
            if does_something(node) or (isinstance(node, ast.ClassDef) and methods):
                blank = methods if isinstance(node, ast.ClassDef) else []
                part = answer_key.Part(module, node, tuple(answer_key.bodies(module, node, blank)))
                assert ast.dump(ast.parse(part.marked)) == ast.dump(ast.parse(part.text)), node.name
                after = ast.parse(answer_key.blanked([part])[path]).body[module.tree.body.index(node)]
                assert outside(after) == outside(node), node.name
                num_parts += 1
    assert num_parts > 100


def does_something(node):
    """A function with more than a docstring."""
    is_function = isinstance(node, ast.FunctionDef)
    return is_function and len(node.body) > (ast.get_docstring(node, clean=False) is not None)


def outside(node):
    """A definition without the bodies of its functions: signatures, docstrings, fields."""
    copy = ast.parse(ast.unparse(node)).body[0]
    for function in ast.walk(copy):
        if isinstance(function, ast.FunctionDef):
            doc = ast.get_docstring(function, clean=False)
            function.body = [ast.Expr(ast.Constant(doc))] if doc is not None else [ast.Pass()]
    return ast.dump(copy)


def test_lambdas_comprehensions_and_super_are_no_closures(course):
    (course / "common" / "odd.py").write_text(
        "class part(list):\n"
        "    def best(self, goal):\n"
        "        key = lambda x: abs(x - goal)\n"
        "        return min([x for x in super().copy() if x != goal], key=key)\n"
    )
    assert answer_key.cut(Exercise("part", "common.odd:part", ("best",))).bodies == ((3, 4),)


def test_one_name_for_two_things_is_refused(course):
    (course / "common" / "odd.py").write_text("from math import sqrt as torch\n\n\ndef part(x):\n    return torch(x)\n")
    asked = [exercise("scaled"), Exercise("part", "common.odd:part")]
    with pytest.raises(CourseError, match=r"torch means torch to one exercise and math\.sqrt to another"):
        import_lines([answer_key.cut(e) for e in asked], asked, Module("the setup", Path("setup.py"), ""))
