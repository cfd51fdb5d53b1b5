"""What an answer may give back and must leave alone: plain values, known by identity, and inputs that stay whole."""

from collections import Counter, OrderedDict, namedtuple
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import pytest
import torch

from common.course.checking import loader, runner
from common.course.checking.plain_values import NotPlain, require_plain
from common.course.graders import Call
from common.course.graders.stand_ins import Affine


def from_cell(source: str, name: str = "f"):
    """What a cell of a notebook defines under this name."""
    return getattr(loader.load_cells([loader.Cell(name, source, frozenset(["exercise"]), name)], "99.9"), name)


class Point(NamedTuple):
    x: float


@dataclass
class Report:
    values: list


def values():
    yield from (1, 1.5, True, None, "a", b"a", [1, [2, (3,)]], {"a": {1}}, range(3), Fraction(1, 2), Path("x"))
    yield from (Counter("ab"), OrderedDict(a=1), namedtuple("Two", "a b")(1, 2), Point(1.0), Report([1]))
    yield from (np.zeros(2), np.float64(1), np.int64(1), np.bool_(True), torch.zeros(2), torch.Size([1]), torch.float32)
    yield from (torch.nn.Parameter(torch.zeros(1)), torch.nn.Linear(1, 1), torch.zeros(2).max(0), (x for x in "a"))
    yield from (torch.distributions.Normal(0.0, 1.0), len, lambda: 0, torch.Generator())


def test_every_ordinary_value_is_plain():
    for value in values():
        require_plain(value, "f()")


OWN_CLASSES = """
import enum
from dataclasses import dataclass
from typing import NamedTuple
import torch

class Point(NamedTuple):
    x: float
    def moved(self):
        return Point(self.x + 1)

@dataclass
class Report:
    values: list

class Mode(enum.Enum):
    FAST = 1

class Net(torch.nn.Module):
    def forward(self, x):
        return x

def f(n):
    return [Point(1.0), Report([1, 2.0]), Mode.FAST, Net(), {"a": Point(2.0)}][n]
"""


def test_records_and_models_of_the_notebook_are_plain():
    for n in range(5):
        require_plain(from_cell(OWN_CLASSES)(n), "f()")


LIARS = {
    "a number": "class N(int): pass\ndef f(): return N(1)",
    "a tensor": "import torch\nclass N(torch.Tensor): pass\ndef f(): return torch.zeros(1).as_subclass(N)",
    "an array": "import numpy as np\nclass N(np.ndarray): pass\ndef f(): return np.zeros(1).view(N)",
    "a borrowed name": "import torch\nclass N(torch.Tensor): __module__, __qualname__ = 'torch', 'Tensor'\n"
    "def f(): return torch.zeros(1).as_subclass(N)",
    "a tuple with names": "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n"
    "    def __eq__(self, other): return True\ndef f(): return P(1)",
    "a record": "from dataclasses import dataclass\n@dataclass\nclass R:\n    x: int\n"
    "    def __eq__(self, other): return True\ndef f(): return R(1)",
    "arithmetic": "class N:\n    def __rsub__(self, other): return 0\ndef f(): return [N()]",
    "inside a record": "from dataclasses import dataclass\nclass N(float): pass\n@dataclass\nclass R:\n    x: float\n"
    "def f(): return {'a': [R(N(1))]}",
    "a tensor's own method": "import torch\ndef f():\n    x = torch.zeros(1)\n    x.all = lambda: True\n    return x",
    "objects in an array": "import numpy as np\ndef f(): return np.array([None, 1])",
}


@pytest.mark.parametrize("liar", LIARS)
def test_what_only_looks_like_a_plain_value_is_refused(liar):
    with pytest.raises(NotPlain, match="give back a plain value"):
        require_plain(from_cell(LIARS[liar])(), "f()")


def test_tools_of_tests_are_no_values():
    for value in (pytest.approx(1), mock.ANY, mock.MagicMock()):
        with pytest.raises(NotPlain):
            require_plain(value, "f()")


def test_an_answer_may_not_replace_what_a_model_does_nor_its_weights():
    call = Call("f", takes={"model": "", "x": "n"})

    def hides(model, x):
        model.forward = lambda *inputs: x
        return x

    def zeroes(model, x):
        model.gain.data.zero_()
        return x

    assert call(lambda model, x: model(x), Affine(), torch.ones(3)).value.shape == (3,)
    with pytest.raises(AssertionError, match="replaced `forward` of the model"):
        call(hides, Affine(), torch.ones(3))
    with pytest.raises(AssertionError, match="changed the weights of the model"):
        call(zeroes, Affine(), torch.ones(3))
    assert Call("f", takes={"model": "", "x": "n"}, changes=("model",))(zeroes, Affine(), torch.ones(3))


def test_an_answer_may_not_change_a_tensor_inside_a_graph():
    call, inside = Call("f", takes={"x": "n"}), torch.ones(3, requires_grad=True) * 2
    assert call(lambda x: x + 1, inside)
    with pytest.raises(AssertionError, match="changed the x that it was given"):
        call(lambda x: x.data.zero_() + 1, inside)


def test_an_answer_may_not_change_the_file_that_it_reads(tmp_path):
    film, out = tmp_path / "film.mp4", tmp_path / "out.txt"
    film.write_bytes(b"film")
    call = Call("f", parameters=("film", "out"))
    call(lambda film, out: out.write_bytes(film.read_bytes()), film, out)
    with pytest.raises(AssertionError, match="changed the file of the film"):
        call(lambda film, out: film.write_bytes(b"another one"), film, out)


def test_a_pass_is_proved_with_answers_that_raise(mini_course):
    """the proof is asked once for each pass, in the place of the test, and answers are back in their places after it"""
    seen = []

    def proof(item, module):
        seen.append((item.name, module.double(1)))

    results = runner.run_tests(mini_course.lab, submission=mini_course.write(), proof=proof)
    assert all(r.ok for r in results)
    assert [name for name, _ in seen] == [r.test for r in results]
    assert {value for _, value in seen} == {2}


@pytest.mark.parametrize("value", [iter([1]), zip([1], [2]), map(abs, [1]), {1: 2}.keys(), reversed([1]), iter(())])
def test_classes_that_python_keeps_without_a_name_are_plain(value):
    """An iterator may be wrong, and is no class of the notebook's."""
    require_plain(value, "f()")
