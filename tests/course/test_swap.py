"""The learner's own parts at work: which are swapped, where, for how long, and what is said about the rest."""

import re
import sys
import types

import pytest

from common.course.base.paths import CourseError
from common.course.base.results import Result
from common.course.learner import progress, swap

LIBRARY = '''
def double(x):
    """Twice `x`."""
    return 2 * x


def quadruple(x):
    """Four times `x`."""
    return double(double(x))
'''


@pytest.fixture
def library(mini_course, monkeypatch):
    """The tiny course's parts as a library of two modules: where they are defined, and where they are handed on."""
    home, other = types.ModuleType("common.tiny"), types.ModuleType("common.tiny_users")
    exec(LIBRARY, home.__dict__)
    other.twice, other.quadruple = home.double, home.quadruple
    for module in (home, other):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    text = mini_course.lab.source.read_text()
    for name in ("double", "quadruple"):
        cell = rf'# %% exercise="{name}"\n.*?(?=# %% check)'
        text = re.sub(cell, f'# %% exercise="{name}" from="common.tiny:{name}"\n', text, flags=re.DOTALL)
    mini_course.lab.source.write_text(text)
    return home, other


def own(body, name="double"):
    return {name: f"def {name}(x):\n    {body}"}


def test_the_registry_names_every_library_part_of_the_built_labs(library):
    assert [(part.lab.id, part.exercise, part.library) for part in swap.parts()] == [
        ("01.1", "double", "common.tiny:double"),
        ("01.1", "quadruple", "common.tiny:quadruple"),  # and not `greeting`, which no library part answers
    ]


def test_the_learners_part_runs_under_every_name_and_goes_again(library, mini_course):
    home, other = library
    before = home.double, other.twice
    mini_course.write("work", own("return 2 * x + 100") | {"quadruple": mini_course.stub("quadruple")})
    with swap.mine() as report:
        assert (home.double(1), other.twice(1)) == (102, 102)
        assert home.quadruple(1) == 304  # the library's, on the learner's double
    assert (home.double, other.twice) == before
    assert report.yours == ["double"]


def test_a_learners_part_stands_on_the_library_where_the_lab_is_not_written(library, mini_course):
    home, _ = library
    mini_course.write("work", {"double": mini_course.stub("double")})
    with swap.mine() as report:
        assert home.quadruple(3) == 12  # their quadruple calls double, and theirs is a stub
    assert report.yours == ["quadruple"]


@pytest.mark.parametrize(
    "cells, whose",
    [
        ({}, "yours"),
        ({"double": "def double(x):\n    raise NotImplementedError"}, "library (not written yet)"),
        ({"double": "def double(x:"}, "library (does not load: "),
        ({"double": "raise NotImplementedError"}, "library (not written yet)"),
        ({"double": "1 / 0\ndef double(x): return x"}, "ZeroDivisionError"),
        ({"double": "double = 3"}, "it should be a function, not a int"),
        ({"double": "from common.tiny import double"}, "library (your notebook imports the library's)"),
        ({"double": "halve = None"}, "library (does not load: `double` is not in the notebook"),
    ],
)
def test_the_report_says_whose_part_runs_and_why(library, mini_course, cells, whose):
    mini_course.write("work", cells)
    with swap.mine() as report:
        assert library[0].double(4) == 8
    assert whose in str(report).splitlines()[0]


def test_a_learners_part_that_has_not_passed_runs_and_is_called_so(library, mini_course):
    mini_course.write("work")
    results = [
        Result("t", "", exercise=name, status=status) for name, status in (("double", "fail"), ("quadruple", "pass"))
    ]
    for recorded, expected in (([], "yours (not checked yet)"), (results, "yours (its last check: fail)")):
        progress.record(mini_course.lab, recorded)
        with swap.mine() as report:
            assert str(report.rows[0]) == expected
    assert str(report.rows[1]) == "yours"


def test_a_lab_that_was_not_started_runs_on_the_library(library):
    with swap.mine() as report:
        assert library[0].quadruple(2) == 8
    assert str(report).count("library (not started)") == 2
    assert report.in_place == "none of your parts is in place"
    assert not report.yours


def test_a_notebook_that_is_no_notebook_is_said_and_stops_nothing(library, mini_course):
    mini_course.write("work").write_text("{")
    with swap.mine() as report:
        assert library[0].double(4) == 8
    assert "01_numbers.ipynb" in str(report)


@pytest.mark.parametrize("error", [ValueError("from outside"), KeyboardInterrupt()])
def test_everything_is_put_back_after_an_exception(library, mini_course, error):
    home, other = library
    before = dict(vars(home)), dict(vars(other))
    mini_course.write("work")
    with pytest.raises((CourseError, KeyboardInterrupt)), swap.mine():
        assert home.double is not before[0]["double"]
        raise error
    assert (dict(vars(home)), dict(vars(other))) == before


def test_swaps_nest_and_unwind_in_order(library):
    _, other = library
    with swap.swapped("common.tiny:double", lambda x: "outer"):
        with swap.swapped("common.tiny:double", lambda x: "inner"):
            assert other.twice(1) == "inner"
        assert other.twice(1) == "outer"
    assert other.twice(1) == 2


def test_a_module_that_comes_later_is_put_right_as_well(library, monkeypatch):
    home, _ = library
    late = types.ModuleType("common.tiny_late")
    with swap.swapped("common.tiny:double", lambda x: "swapped"):
        late.double = home.double  # what `from common.tiny import double` does in a module imported now
        monkeypatch.setitem(sys.modules, late.__name__, late)
        assert late.double(1) == "swapped"
    assert late.double(1) == 2


def test_a_base_class_is_refused_with_the_reason(library, mini_course):
    home, _ = library
    exec("class Layer: pass\nclass Attention(Layer): pass", home.__dict__)
    home.Attention.__module__ = "common.tiny"
    with (
        pytest.raises(CourseError, match="Attention is built on it"),
        swap.swapped("common.tiny:Layer", type("L", (), {})),
    ):
        pass
    with swap.swapped("common.tiny:Attention", type("Mine", (), {})):
        assert home.Attention.__name__ == "Mine"


def test_saving_a_model_is_refused_while_its_class_is_the_learners(library):
    home, _ = library
    exec("class Model:\n    def save_pretrained(self, folder):\n        return folder", home.__dict__)
    learners = type("Model", (home.Model,), {})
    with swap.swapped("common.tiny:Model", learners), pytest.raises(CourseError, match=r"Save its state_dict\(\)"):
        home.Model().save_pretrained("here")
    assert learners().save_pretrained("here") == "here"


def test_a_crash_names_the_exercise_the_line_and_the_way_out(library, mini_course):
    mini_course.write("work", own("half = x / 0\n    return half"))
    with pytest.raises(CourseError) as caught, swap.mine():
        library[0].quadruple(1)
    said = str(caught.value)
    assert "your `double` (lab 01.1) stopped at line 2 of its cell: `half = x / 0`" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "flipbook check 01.1" in said and "without --mine" in said


def test_a_crash_on_what_a_learners_part_gave_back_names_the_parts(library, mini_course):
    mini_course.write("work", own("return None"))
    with pytest.raises(CourseError, match=r"your parts \(double, quadruple\)"), swap.mine():
        library[0].double(1) + 1


def test_a_crash_without_any_part_of_theirs_is_the_librarys_own(library):
    with pytest.raises(ZeroDivisionError), swap.mine():
        library[0].double(1 / 0)


def test_a_bad_file_stays_a_bad_file(library, mini_course):
    from common.video.errors import FrameIndexError, NotAVideoError

    mini_course.write("work", own("raise BAD", "double"), setup="BAD = None")
    for error, expected in ((NotAVideoError("no"), NotAVideoError), (FrameIndexError("frame 900 of 12"), CourseError)):
        with pytest.raises(expected), swap.mine():
            library[0].double.__globals__["BAD"] = error
            library[0].double(1)


def test_written_means_that_no_stub_is_left():
    class Half:
        def forward(self, x):
            return x

        def backward(self, x):
            raise NotImplementedError

    assert swap.is_written(Half, blank=("forward",)) and not swap.is_written(Half, blank=("forward", "backward"))
    assert not swap.is_written(Half)
    assert swap.is_written(lambda x: x) and swap.is_written(len)
