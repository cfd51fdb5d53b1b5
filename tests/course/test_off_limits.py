"""While a check runs the library's own part refuses and library code gets the learner's; then all is as before."""

import sys
import types

import pytest

import common
from common.course.base.parts import Part
from common.course.base.paths import Lab
from common.course.checking import loader, off_limits, runner
from common.course.errors import AnswerKeyUsed

LIBRARY = '''
import functools

def double(x, *, times=1):
    """Twice."""
    return 2 * x * times

def quadruple(x):
    return double(double(x))

def generated(n):
    yield from range(n)

def decorate(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner

@decorate
def decorated(x):
    return x + 1

class Base:
    def forward(self, x):
        return x

class Layer(Base):
    def __init__(self, scale=2):
        self.scale = scale

    def forward(self, x):
        return super().forward(x) * self.scale

    @staticmethod
    def halve(x):
        return x / 2

    @property
    def double_scale(self):
        return 2 * self.scale
'''


@pytest.fixture
def library(monkeypatch):
    """`common.tiny.parts`, handed on by `common.tiny`, and `common.user`, which uses it."""
    made = {}
    for name, source in {
        "common.tiny": "",
        "common.tiny.parts": LIBRARY,
        "common.user": "from common.tiny.parts import double\ndef eightfold(x): return double(double(double(x)))\n",
    }.items():
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(source, f"/somewhere/{name}.py", "exec", dont_inherit=True), module.__dict__)
        made[name] = module
    monkeypatch.setattr(common, "tiny", made["common.tiny"], raising=False)
    made["common.tiny"].double = made["common.tiny.parts"].double
    made["common.tiny"].parts = made["common.tiny.parts"]
    return made["common.tiny.parts"]


def part(name, blank=()):
    return Part(Lab("01_tiny", "01_numbers"), name, f"common.tiny.parts:{name}", blank)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("double", lambda m: m.double(3)),
        ("double", lambda m: m.double(3, times=4)),
        ("double", lambda m: m.quadruple(3)),
        ("generated", lambda m: m.generated(3)),
        ("decorated", lambda m: m.decorated(3)),
    ],
)
def test_a_function_refuses_inside_and_works_after(library, name, call):
    before = call(library)
    with (
        off_limits.AnswerKey([part(name)]),
        pytest.raises(AnswerKeyUsed, match=f"{name} is the answer to this exercise"),
    ):
        call(library)
    after = call(library)
    assert list(after) == list(before) if name == "generated" else after == before


def test_the_blanked_methods_of_a_class_refuse_and_its_others_work(library):
    blank = ("forward", "halve", "double_scale")
    with off_limits.AnswerKey([part("Layer", blank)]):
        layer = library.Layer(scale=5)
        assert layer.scale == 5
        for use in (lambda: layer.forward(1), lambda: library.Layer.halve(4), lambda: layer.double_scale):
            with pytest.raises(AnswerKeyUsed, match=r"common\.tiny\.parts\.Layer"):
                use()
    assert (layer.forward(1), layer.halve(4), layer.double_scale) == (5, 2, 10)


def test_the_refusal_names_the_part_as_people_import_it(library):
    with off_limits.AnswerKey([part("double")]), pytest.raises(AnswerKeyUsed) as caught:
        library.double(1)
    assert str(caught.value) == "common.tiny.double is the answer to this exercise; write your own"


def answered(source):
    return loader.load_cells([loader.Cell("double", source, frozenset({"exercise"}), "double")], "01.1")


def test_library_code_gets_the_learners_part_and_the_learner_does_not(library):
    user = sys.modules["common.user"]
    module = answered(
        "def double(x):\n    return x + 100\ndef reach(x):\n    import common.tiny\n    return common.tiny.double(x)"
    )
    originals = (user.double, library.double, sys.modules["common.tiny"].double)
    with off_limits.AnswerKey([part("double")]) as key:
        key.serve(module)
        assert user.eightfold(0) == 300 and library.quadruple(0) == 200
        with pytest.raises(AnswerKeyUsed):
            module.reach(1)
    assert (user.double, library.double, sys.modules["common.tiny"].double) == originals
    assert user.eightfold(1) == 8


def test_all_is_restored_when_the_block_dies(library):
    code, bound = library.double.__code__, sys.modules["common.user"].double
    with pytest.raises(SystemExit), off_limits.AnswerKey([part("double")]) as key:
        key.serve(answered("def double(x):\n    return x"))
        raise SystemExit
    assert library.double.__code__ is code and sys.modules["common.user"].double is bound


def test_an_unwritten_part_leaves_the_librarys_closed(library):
    with off_limits.AnswerKey([part("double")]) as key:
        key.serve(answered("x = 1"))
        with pytest.raises(AnswerKeyUsed):
            sys.modules["common.user"].eightfold(1)


# In a check

BORROWED = [
    "from common.tiny.parts import double",
    "from common.tiny import double",
    "def double(x):\n    from common.tiny import double as answer\n    return answer(x)",
    "import common.tiny.parts as parts\ndef double(x):\n    return parts.double(x)",
    "from common.tiny.parts import double as answer\ndef double(x):\n    return answer(x)",
    "import sys\ndouble = lambda x: sys.modules['common.tiny.parts'].double(x)",
    "import importlib\ndef double(x):\n    return importlib.import_module('common.tiny.parts').double(x)",
    "from common.tiny.parts import quadruple\ndef double(x):\n    return quadruple(x) // 2",
    "import functools, common.tiny\ndouble = functools.partial(common.tiny.double)",
]


def with_library(course, exercise="double"):
    """The tiny course, its first exercise taken from the tiny library."""
    text = course.lab.source.read_text()
    head, tail = text.split(f'# %% exercise="{exercise}"\n')
    rest = tail[tail.index("# %% check=") :]
    course.lab.source.write_text(f'{head}# %% exercise="{exercise}" from="common.tiny.parts:{exercise}"\n{rest}')


@pytest.mark.parametrize("source", BORROWED)
def test_an_answer_that_calls_the_librarys_part_fails_and_says_so(mini_course, library, source):
    with_library(mini_course)
    file = mini_course.write(cells={"double": source})
    results = runner.run_tests(mini_course.lab, "double", submission=file)
    assert sum(r.earned for r in results) == 0
    if "quadruple" in source:  # library code that uses the part meets the learner's own: round and round
        assert {r.status for r in results} == {"error"}
    else:
        said = "common.tiny.double is the answer to this exercise; write your own"
        assert {(r.status, r.message) for r in results} == {("fail", said)}
    assert library.double(3) == 6


def test_an_answer_that_is_the_librarys_object_fails_in_the_kernel_too(mini_course, library):
    with_library(mini_course)
    outcome = runner.check("01.1", "double", {"double": library.double})
    assert {r.status for r in outcome.results} == {"fail"}
    assert "write your own" in repr(outcome)
    assert library.double(3) == 6


def test_an_own_answer_passes_beside_the_closed_library(mini_course, library):
    with_library(mini_course)
    results = runner.run_tests(mini_course.lab, submission=mini_course.write())
    assert {r.status for r in results} == {"pass"}


@pytest.mark.parametrize("source", BORROWED[:4])
def test_without_the_source_the_notebook_names_the_part(mini_course, library, source):
    with_library(mini_course)
    mini_course.lab.source.unlink()
    mini_course.lab.notebook("labs").unlink()
    mini_course.lab.notebook("solutions").unlink()
    notebook = mini_course.make_notebook({"double": source})
    notebook["cells"][1]["metadata"]["flipbook"]["from"] = "common.tiny.parts:double"
    results = runner.run_tests(mini_course.lab, "double", submission=write_json(mini_course, notebook))
    assert {(r.status, r.message.split(";")[1]) for r in results} == {("fail", " write your own")}


@pytest.mark.parametrize(
    "library", ["common.course.checking.guards:tamper_guard", "os:getcwd", "common.course:x", "no colon", 3]
)
def test_metadata_of_a_stranger_cannot_close_the_machinery(mini_course, library):
    mini_course.lab.source.unlink()
    metadata = {"flipbook": {"exercise": "double", "from": library}}
    assert off_limits.parts_of(mini_course.lab, [loader.Cell("double", "", frozenset(), "double", metadata)]) == []


def write_json(course, notebook):
    import json

    file = course.root / "handed_in.ipynb"
    file.write_text(json.dumps(notebook))
    return file
