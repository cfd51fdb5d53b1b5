"""Points are read from a grader's text; they must be what pytest would collect."""

import subprocess
import sys

import pytest

from common.course.base.paths import CourseError, Lab
from common.course.source import grader_marks

GRADER = """\
import pytest

exercise = pytest.mark.exercise
CASES = [1, 2, 3]
NEEDS = ("double",)


@exercise("double", points=2)
@pytest.mark.parametrize("number", CASES)
@pytest.mark.parametrize("sign", (-1, 1))
def test_double(lab, number, sign):
    \"\"\"twice a number\"\"\"


@pytest.mark.exercise("double")
def test_zero(lab):
    \"\"\"twice nothing is nothing\"\"\"


class TestHalf:
    @exercise("half", points=0.5, needs=NEEDS)
    @pytest.mark.parametrize(("number", "want"), [(2, 1), pytest.param(4, 2, id="four")])
    def test_half(self, lab, number, want):
        \"\"\"half a number\"\"\"


def helper_test():
    pass
"""

COLLECTOR = """
import collections, sys
import pytest

class Sum:
    def pytest_configure(self, config):
        config.addinivalue_line("markers", "exercise(name, points=1): what a test is worth")
    def pytest_collection_finish(self, session):
        total = collections.Counter()
        for item in session.items:
            mark = item.get_closest_marker("exercise")
            total[mark.args[0]] += mark.kwargs.get("points", 1)
        print("TOTAL", dict(total))

pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", sys.argv[1]], plugins=[Sum()])
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    lab = Lab("01_tiny", "02_numbers")
    (tmp_path / "tests" / "labs" / "01_tiny").mkdir(parents=True)
    lab.tests.write_text(GRADER)
    return lab


def test_points_count_every_case_of_every_test(lab):
    """2 points x 3 numbers x 2 signs and one more; half a point twice"""
    assert grader_marks.points(lab) == {"double": 13, "half": 1}


def test_the_text_says_what_pytest_collects(lab, tmp_path):
    command = [sys.executable, "-c", COLLECTOR, str(lab.tests)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("TOTAL"))
    assert line == f"TOTAL {grader_marks.points(lab)}".replace("'half': 1}", "'half': 1.0}")


SLIPS = {
    "no mark": ('@pytest.mark.exercise("double")\n', "", "15: test_zero needs one @pytest.mark.exercise"),
    "two marks": ('@pytest.mark.exercise("double")', '@exercise("half")\n@exercise("double")', ":.*one .*not 2"),
    "name": ('mark.exercise("double")', "mark.exercise(NAME)", "15: .*points and needs as literals"),
    "points": ('"double", points=2', '"double", points=0', "8: .*points=ABOVE_ZERO"),
    "cases": ("[1, 2, 3]", "list(range(3))", "9: write the cases of parametrize as a list"),
    "needs": ("points=0.5, needs=NEEDS", 'needs=("duble",)', "21: needs names 'duble'"),
    "syntax": ("class TestHalf:", "class TestHalf", "20: expected ':'"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_file_and_line(lab, slip):
    old, new, message = SLIPS[slip]
    assert GRADER.count(old) == 1
    lab.tests.write_text(GRADER.replace(old, new))
    with pytest.raises(CourseError, match=rf"tests/labs/01_tiny/test_02_numbers\.py:.*{message}"):
        grader_marks.points(lab)


def test_a_missing_grader_is_named(lab):
    lab.tests.unlink()
    with pytest.raises(CourseError, match=r"lab 01\.2 has no grader: tests/labs/01_tiny/test_02_numbers\.py"):
        grader_marks.points(lab)
