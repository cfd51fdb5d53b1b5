"""A grader's oracles answer the grader alone, by whatever way an answer got hold of them."""

import subprocess
import sys
import types

import pytest

from common.course.base import paths
from common.course.grading import oracles, returns

GRADER = """
from functools import cache, partial

from common.course.graders import Call

answer = Call("answer", parameters=("f", "x"))

def oracle(x, *, factor=2):
    return factor * x

@cache
def kept(x):
    return x

def stand_in(x):
    return helper(x)

def helper(x):
    return 3 * x

class Stub:
    def __init__(self):
        self.does = partial(stand_in)

    def read(self, x):
        return helper(x)

def test_alone(lab):
    assert oracle(4) == 8 and oracle(4, factor=3) == 12 and kept(1) == 1 and partial(oracle, factor=1)(5) == 5

def test_asks(lab):
    return lab.answer(0, 4)

def test_hands(lab, wrap):
    return lab.answer(wrap(stand_in), 4)

def test_stub(lab):
    return lab.answer(Stub(), 4)

def test_call(lab):
    return answer(lab, stand_in, 4).value
"""


class Bench:
    """A grader with its functions closed, and a notebook of one answer."""

    def __init__(self, path):
        path.write_text(GRADER)
        self.grader = types.ModuleType("test_of_oracles")
        self.grader.__file__ = str(path)
        sys.modules[self.grader.__name__] = self.grader
        exec(compile(GRADER, str(path), "exec"), vars(self.grader))
        self.told, self.given = [], set()
        self.oracle = self.grader.oracle
        oracles.close(self.grader, "01.2", lambda kind, words: self.told.append((kind, words)), self.given)

    def notebook(self, text, **names):
        module = types.ModuleType("lab_01_2")
        vars(module).update(names)
        exec(compile(text, "<01.2 answer>", "exec"), vars(module))
        returns.guard(module, ["answer"], self.given)
        return module


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "test_of_oracles", None)
    return Bench(tmp_path / "test_of_oracles.py")


def test_tests_use_their_own_functions_as_before(bench):
    bench.grader.test_alone(None)
    assert bench.told == []


@pytest.mark.parametrize(
    "text",
    [
        "def answer(f, x): return oracle(x)",
        "def answer(f, x): return next(map(oracle, [x]))",
        "def answer(f, x):\n from functools import partial\n return partial(oracle, x)()",
        "from concurrent import futures\n"
        "def answer(f, x):\n"
        "    with futures.ThreadPoolExecutor(1) as pool:\n"
        "        return pool.submit(oracle, x).result()",
        "def answer(f, x): return test(type('Lab', (), {'answer': lambda f, x: 8}))",
        "def answer(f, x): return kept(x)",
        "def inner(f, x): return f(x)\ndef answer(f, x): return answer(oracle, x) if f == 0 else f(x)",
    ],
    ids=["itself", "by map", "by partial", "in a thread", "a test as judge", "behind a cache", "handed to itself"],
)  # fmt: skip
def test_a_cell_that_calls_an_oracle_is_told_of(bench, text):
    grader = bench.grader
    bench.grader.test_asks(bench.notebook(text, oracle=bench.oracle, test=grader.test_asks, kept=grader.kept))
    assert bench.told and {kind for kind, _ in bench.told} == {"tampered"}


def test_an_oracle_in_the_place_of_an_answer_is_told_of(bench):
    lab = bench.notebook("")
    lab.answer = lambda f, x: None
    lab.answer.__code__ = bench.oracle.__code__  # or the function itself, which the worker looks for after each pass
    returns.guard(lab, ["answer"], bench.given)
    lab.answer(4)
    assert bench.told == [("tampered", "called `oracle`, a function of the tests")]


@pytest.mark.parametrize(
    "wrap", [lambda f: f, lambda f: [1, (f,)], lambda f: {"does": f}], ids=["bare", "list", "dict"]
)
def test_what_a_test_hands_over_may_be_called(bench, wrap):
    text = """def answer(f, x):
    while not callable(f):
        f = f["does"] if isinstance(f, dict) else f[-1]
    return f(x)"""
    assert bench.grader.test_hands(bench.notebook(text), wrap) == 12 and bench.told == []


def test_so_may_what_an_object_of_the_tests_holds(bench):
    lab = bench.notebook("def answer(f, x): return f.does(x) + f.read(x)")
    assert bench.grader.test_stub(lab) == 24 and bench.told == []


def test_a_generator_may_call_it_later(bench):
    lab = bench.notebook("def answer(f, x):\n    yield f(x)")
    assert list(bench.grader.test_hands(lab, lambda f: f)) == [12] and bench.told == []


def test_the_toolkit_hands_over_too(bench):
    assert bench.grader.test_call(bench.notebook("def answer(f, x): return f(x)")) == 12 and bench.told == []


def test_the_module_under_the_graders_name_holds_its_classes_alone(bench):
    found = vars(sys.modules["test_of_oracles"])
    assert found["Stub"] is bench.grader.Stub
    assert not [name for name, value in found.items() if isinstance(value, types.FunctionType)]


def test_a_grader_without_the_toolkit_loads_no_torch():
    """a worker whose lab does without torch has little memory, and seconds to lose"""
    code = "import sys; from common.course.grading import oracles; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=paths.root())
    assert run.stdout.strip() == "False", run.stderr
