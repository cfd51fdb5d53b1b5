"""Wrong answers as edits of a base: what `EXERCISE.toml` may say, and what makes an answer of it malformed."""

import ast

import pytest

from common.course.banks import collect, mutants
from common.course.banks.edits import read_edits, without_docstrings
from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.source import lab_source

ABS = """
[[wrong]]
name = "abs"
thinks = "Drops the sign."
says = "the sign is lost"
edits = [["2 * x", "2 * abs(x)"]]
"""
RIGHT = '"""Adds `x + x`; a docstring is no part of the base."""\n\n\ndef double(x):\n    return x + x\n'


@pytest.fixture
def bank_file(mini_course):
    """Writes `double.toml` into the tiny course's bank and hands its answers back."""
    double = lab_source.exercises(mini_course.lab)[0]

    def write(text, strict=True):
        path = mini_course.lab.bank / "double.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_edits(path, mini_course.lab, double, needs_reasons=strict)

    return write


@pytest.fixture
def right(mini_course):
    path = mini_course.lab.bank / "double" / "right_sum.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RIGHT)


def test_an_answer_is_the_reference_cell_with_its_edits(bank_file, mini_course):
    [answer] = bank_file(ABS)
    assert answer.code == "def double(x):\n    return 2 * abs(x)\n"  # neither docstring nor solution markers
    assert (answer.kind, answer.words, answer.misconception) == ("wrong", ("the sign is lost",), "Drops the sign.")
    assert answer.name == "double.toml#abs" == answer.path.name
    assert mutants.prove(mini_course.lab, [answer])[0].good


def test_a_part_of_the_library_is_a_base_too():
    built = next(lab for lab in paths.all_labs() if lab.id == "01.2")
    even, path = lab_source.exercises(built)[0], built.bank / "even_indices.toml"
    answers = read_edits(path, built, even, needs_reasons=True)
    assert len(answers) > 5 and not [answer.malformed for answer in answers if answer.malformed]
    assert all(ast.parse(answer.code).body[0].name == "even_indices" for answer in answers)


def test_a_right_answer_is_a_base_for_the_file_or_for_one_answer(bank_file, right):
    sums = ABS.replace("2 * x", "x + x")
    [answer] = bank_file('base = "right_sum"\n' + sums)
    assert answer.code == "def double(x):\n    return 2 * abs(x)\n"
    from_library = ABS.replace('"abs"', '"other"') + 'base = "library"\n'
    answers = bank_file('base = "right_sum"\n' + sums + from_library)
    assert [answer.malformed for answer in answers] == ["", ""]


def test_edits_apply_in_order_each_to_what_the_last_one_left(bank_file):
    text = ABS.replace('[["2 * x", "2 * abs(x)"]]', '[["2 * x", "y"], ["return y", "return x"]]')
    assert bank_file(text)[0].code == "def double(x):\n    return x\n"


def test_says_may_be_a_list_of_which_all_must_be_found(bank_file, mini_course):
    [answer] = bank_file(ABS.replace('"the sign is lost"', '["the sign is lost", "counts from one"]'))
    verdict = mutants.prove(mini_course.lab, [answer])[0]
    assert not verdict.good and verdict.missing == ["counts from one"]


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("2 * x", "3 * x", "the old text of edit 1 occurs 0 times in the base 'library', not once: '3 * x'"),
        ("2 * x", "x", "occurs 2 times"),
        ("2 * x", "", "occurs 0 times"),
        ("2 * abs(x)", "2 * x", "change nothing"),
        ("2 * abs(x)", "2 * (x", "after its edits it is not Python"),
        ('says = "the sign is lost"', "", "it has no `says`"),
        ('says = "the sign is lost"', "says = []", "it has no `says`"),
        ('says = "the sign is lost"', "says = 3", "`says` is a string or a list of strings"),
        ('thinks = "Drops the sign."', "", "it has no `thinks`"),
        ('name = "abs"', "", "it has no `name`"),
        ('name = "abs"', 'name = "abs"\nbase = "right_product"', "there is no base 'right_product'"),
        ('name = "abs"', 'name = "abs"\nbase = "wrong_other"', "there is no base 'wrong_other'"),
        ('name = "abs"', 'name = "abs"\nmessage = "lost"', "it has no use for the key `message`"),
        ('[["2 * x", "2 * abs(x)"]]', "[]", "`edits` is a list of [old, new]"),
        ('[["2 * x", "2 * abs(x)"]]', '["2 * x", "2 * abs(x)"]', "`edits` is a list of [old, new]"),
        ('[["2 * x", "2 * abs(x)"]]', '[["2 * x"]]', "`edits` is a list of [old, new]"),
    ],
)
def test_a_malformed_answer_says_what_is_wrong_and_is_no_kill(bank_file, mini_course, old, new, problem):
    assert old in ABS
    [answer] = bank_file(ABS.replace(old, new, 1))
    assert problem in answer.malformed
    [verdict] = mutants.prove(mini_course.lab, [answer])
    assert not verdict.good and verdict.problem == answer.malformed
    assert answer.name == ("double.toml#1" if "`name`" in problem else "double.toml#abs")


def test_of_two_answers_with_one_name_the_second_is_malformed(bank_file):
    first, second = bank_file(ABS + ABS.replace("abs(x)", "x"))
    assert not first.malformed and "the same name" in second.malformed


def test_a_changed_library_leaves_no_stale_answer_behind(bank_file, mini_course):
    assert not bank_file(ABS)[0].malformed
    mini_course.lab.source.write_text(
        mini_course.lab.source.read_text().replace("    return 2 * x", "    return x + x")
    )
    assert "occurs 0 times" in bank_file(ABS)[0].malformed


@pytest.mark.parametrize(
    "text, problem",
    [
        ("[[wrong]\n", "it is not TOML"),
        ("", "it holds no [[wrong]] tables"),
        ("wrong = 3\n", "it holds no [[wrong]] tables"),
        ("base = 3\n" + ABS, "`base` is a string"),
        ('based = "library"\n' + ABS, "it has no use for the key `based`; the keys are base, wrong"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_malformed_answer_of_no_kind(bank_file, text, problem):
    [answer] = bank_file(text)
    assert answer.kind == "" and problem in answer.malformed


DOCUMENTED = '''
"""A."""


class A:
    """B."""

    def f(self):
        """C

        D.
        """
        return 1

    def g(self):
        """All it has."""
'''
BARE = '''class A:
    def f(self):
        return 1

    def g(self):
        """All it has."""
'''


def test_docstrings_are_no_part_of_a_base():
    assert without_docstrings(DOCUMENTED) == BARE


def test_the_courses_bank_and_a_strangers_take_both_forms(bank_file, right, mini_course, tmp_path):
    bank_file(ABS)
    assert [answer.name for answer in collect.own_bank([mini_course.lab])] == ["double.toml#abs", "double/right_sum.py"]

    strangers = tmp_path / "theirs" / "deep" / "double"
    strangers.mkdir(parents=True)
    (strangers / "wrong_zero.py").write_text("def double(x):\n    return 0\n")
    bare = ABS.replace('thinks = "Drops the sign."\n', "").replace('says = "the sign is lost"\n', "")
    from_right = 'base = "right_sum"\n' + bare.replace("2 * x", "x + x")  # the course's, since theirs has none
    (strangers.parent / "double.toml").write_text(from_right)
    (strangers.parent / "pyproject.toml").write_text("[project]\n")
    found = collect.strangers_bank(tmp_path / "theirs", [mini_course.lab])
    assert sorted(answer.name for answer in found) == ["double.toml#abs", "double/wrong_zero.py"]
    assert all(verdict.good for verdict in mutants.prove(mini_course.lab, found))


def test_a_file_named_after_no_exercise_is_a_stray(bank_file, mini_course):
    bank_file(ABS)
    assert not collect.strays([mini_course.lab])
    (mini_course.lab.bank / "dubble.toml").write_text(ABS)
    assert "answers/01_numbers/dubble.toml is named after no exercise" in collect.strays([mini_course.lab])[0]


def test_an_exercise_that_does_not_exist_is_refused(bank_file, mini_course):
    answers = bank_file(ABS)
    assert collect.of_exercise("double", [mini_course.lab], answers) == answers
    assert collect.of_exercise("greeting", [mini_course.lab], answers) == []
    with pytest.raises(CourseError, match="there is no exercise 'dubble' here"):
        collect.of_exercise("dubble", [mini_course.lab], answers)
