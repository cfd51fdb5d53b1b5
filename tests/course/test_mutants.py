"""`flipbook mutants`: what counts as killed, what as a false alarm, and what as neither."""

import json
import time

import pytest
from click.testing import CliRunner

from common.course.banks import mutants, trials
from common.course.banks.answers import read_answer
from common.course.banks.collect import own_bank, shortages, strangers_bank, strays
from common.course.base.paths import CourseError
from common.course.commands.mutants import mutants as command
from common.course.commands.mutants import summarise

LOSES_SIGN = '"""Drops the sign.\n\nMessage: the sign is lost\n"""\n\n\ndef double(x):\n    return 2 * abs(x)\n'
RIGHT = '"""Adds instead of multiplying."""\n\n\ndef double(x):\n    return x + x\n'


@pytest.fixture
def answer(mini_course):
    """Writes an answer into the tiny course's bank and hands it back as it is read."""

    def write(file, code, exercise="double"):
        path = mini_course.lab.bank / exercise / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return read_answer(path, mini_course.lab, exercise, needs_docstring=True)

    return write


@pytest.fixture
def verdict(mini_course):
    """Tries one answer."""

    def judge(answer, **options):
        return mutants.prove(mini_course.lab, [answer], **options)[0]

    return judge


def test_a_wrong_answer_whose_message_names_the_mistake_is_killed(answer, verdict):
    found = verdict(answer("wrong_abs.py", LOSES_SIGN))
    assert found.good and not found.missing
    assert [status for status, *_ in found.findings] == ["fail"]  # of the three tests only the negative number's


def test_a_killed_answer_is_not_tried_on(answer, verdict):
    """Its first test fails with the words; the next one would never end."""
    hangs = '"""Halves, and counts for ever below zero.\n\nMessage: {words}\n"""\n\n\n' + (
        "def double(x):\n    while x < 0:\n        pass\n    return x / 2\n"
    )
    first = verdict(answer("wrong_halves.py", hangs.format(words="twice 3")))
    assert first.good and [status for status, *_ in first.findings] == ["fail"]
    assert first.seconds < trials.TEST_SECONDS


def test_a_failure_without_the_words_is_no_kill(answer, verdict):
    found = verdict(answer("wrong_abs.py", LOSES_SIGN.replace("the sign is lost", "counts from one")))
    assert not found.good
    assert found.missing == ["counts from one"] and "counts from one" in found.problem


def test_every_line_of_words_must_be_found_in_any_case_and_quotes(answer, verdict):
    both = LOSES_SIGN.replace("lost\n", "lost\nMessage: 'TWICE -2   is'\n")
    assert verdict(answer("wrong_abs.py", both)).good
    assert verdict(answer("wrong_abs.py", both.replace("TWICE", "thrice"))).missing == ["thrice -2   is"]


def test_an_answer_without_words_only_has_to_fail(answer, verdict):
    assert verdict(answer("wrong_abs.py", LOSES_SIGN.replace("Message: the sign is lost", ""))).good


@pytest.mark.parametrize(
    "code, seen",
    [
        ("def double(x):\n    raise KeyError('x')\n", "error"),
        ("def double(x):\n    raise NotImplementedError\n", "todo"),
        ("def double(x):\n    while True:\n        pass\n", "timeout"),
        ("import os\n\n\ndef double(x):\n    os._exit(0)\n", "died"),
        ("def double(x):\n    return 2 * x\n", "every test passed"),
    ],
)
def test_what_does_not_fail_is_not_killed(answer, verdict, monkeypatch, code, seen):
    monkeypatch.setattr(trials, "TEST_SECONDS", 0.3)
    found = verdict(answer("wrong_other.py", f'"""Something else."""\n\n\n{code}'))
    assert not found.good and seen in found.problem


def test_an_answer_that_hangs_where_no_alarm_reaches_is_stopped_in_time(answer, verdict):
    deaf = '"""Hangs in C."""\n\nimport signal\n\n\ndef double(x):\n'
    deaf += "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n    sum(iter(int, 1))\n"
    started = time.monotonic()
    found = verdict(answer("wrong_deaf.py", deaf), answer_seconds=1.5)
    assert not found.good and "timeout" in found.problem
    assert time.monotonic() - started < 15


def test_a_system_that_cannot_fork_comes_to_the_same_verdict(answer, verdict, monkeypatch):
    monkeypatch.setattr(trials, "CAN_FORK", False)
    assert verdict(answer("wrong_abs.py", LOSES_SIGN)).good


def test_a_right_answer_passes_and_is_tried_on_what_needs_it(answer, verdict):
    assert verdict(answer("right_sum.py", RIGHT)).good
    once = '"""Right for double, but only the first time."""\n\nUSED = []\n\n\ndef double(x):\n    USED.append(x)\n'
    once += "    return 2 * x if len(USED) < 5 else 0\n"  # double's own tests call it three times, quadruple's twice
    found = verdict(answer("right_once.py", once))
    assert not found.good and "turned away" in found.problem
    assert any("four times" in test for _, test, _ in found.findings)


GREETS = '"""Adds strings."""\n\n\ndef greeting(name):\n    return "Hello " + name\n'
COUNTS = """


@pytest.mark.exercise("greeting", points=1)
def test_runs(lab):
    \"\"\"counts the processes that run it\"\"\"
    with open({log!r}, "a") as log:
        log.write("x")
"""


@pytest.fixture
def runs(mini_course, tmp_path):
    """How many processes have run the tests of `greeting`."""
    log = tmp_path / "runs"
    mini_course.write_grader(mini_course.grader + COUNTS.format(log=str(log)))
    return lambda: len(log.read_text())


def test_right_answers_of_different_exercises_share_a_trial(answer, mini_course, runs):
    other = GREETS.replace("Adds", "Joins").replace('"Hello " + name', '" ".join(["Hi", name])')
    bank = [answer("right_sum.py", RIGHT), answer("right_strings.py", GREETS, "greeting")]
    bank.append(answer("right_join.py", other, "greeting"))
    assert all(found.good for found in mutants.prove(mini_course.lab, bank))
    assert runs() == 3  # the reference, `right_sum` with `right_strings`, `right_join`


def test_where_a_shared_trial_fails_only_the_guilty_answer_is_turned_away(answer, mini_course, runs):
    nameless = GREETS.replace('"Hello " + name', '"Hello"')
    bank = [answer("right_sum.py", RIGHT), answer("right_nameless.py", nameless, "greeting")]
    assert [found.good for found in mutants.prove(mini_course.lab, bank)] == [True, False]
    assert runs() == 3  # the reference, both together, `right_nameless` alone


@pytest.mark.parametrize("more", ["import string\n", "def helper():\n    return 1\n", "USED = []\n"])
def test_an_answer_that_defines_more_than_its_exercise_has_a_trial_of_its_own(answer, more):
    bank = [answer("right_more.py", f'"""More."""\n\n{more}\n\ndef double(x):\n    return x + x\n')]
    bank.append(answer("right_strings.py", GREETS, "greeting"))
    assert sorted(map(len, mutants.sharing(bank))) == [1, 1]


def test_cheap_tests_of_a_wrong_answer_run_first(answer, mini_course):
    """Both tests fail with the words; the slow one is first in the file and does not run."""
    mini_course.write_grader(SLOW_FIRST)
    halves = LOSES_SIGN.replace("2 * abs(x)", "x / 2").replace("the sign is lost", "half")
    [found] = mutants.prove(mini_course.lab, [answer("wrong_halves.py", halves)])
    assert found.good and [message for _, _, message in found.findings] == ["half, the cheap test"]


SLOW_FIRST = """
import time

import pytest


@pytest.mark.exercise("double")
def test_slow(lab):
    time.sleep(0.3)
    assert lab.double(3) == 6, "half, the slow test"


@pytest.mark.exercise("double")
def test_cheap(lab):
    assert lab.double(3) == 6, "half, the cheap test"
"""


def test_the_seed_reaches_the_tests(answer, mini_course):
    mini_course.write_grader(mini_course.grader.replace("number = 3 + seed", "number = 3 + seed\n    assert seed != 7"))
    bank = [answer("right_twice.py", '"""Twice."""\n\n\ndef quadruple(x):\n    return 4 * x\n', "quadruple")]
    assert mutants.prove(mini_course.lab, bank, seed=3)[0].good
    with pytest.raises(CourseError, match="does not pass its own grader"):
        mutants.prove(mini_course.lab, bank, seed=7)


def test_a_right_answer_that_does_not_pass_is_a_false_alarm(answer, mini_course):
    bank = [answer("right_not.py", LOSES_SIGN), answer("wrong_abs.py", LOSES_SIGN)]
    summary = summarise([mini_course.lab], mutants.prove(mini_course.lab, bank), [], {})
    assert (summary["false_alarms"], summary["kill_rate"]) == (1, 1.0)
    assert summary["exercises"][0]["false_alarms"] == ["right_not.py"]


@pytest.mark.parametrize(
    "file, code, problem",
    [
        ("wrong_syntax.py", '"""Open."""\n\ndef double(x:\n', "not Python"),
        ("wrong_silent.py", "def double(x):\n    return 0\n", "no docstring"),
        ("idea.py", LOSES_SIGN, "must begin with wrong_ or right_"),
    ],
)
def test_a_malformed_file_is_reported_and_counts_as_nothing(answer, verdict, file, code, problem):
    found = verdict(answer(file, code))
    assert not found.good and problem in found.problem


def test_nothing_is_judged_by_a_grader_that_its_own_reference_fails(answer, verdict, mini_course):
    mini_course.write("solutions", {"greeting": "def greeting(name):\n    return 'Hello'"})
    with pytest.raises(CourseError, match=r"(?s)reference solution of 01.1 does not pass.*name is missing"):
        verdict(answer("wrong_abs.py", LOSES_SIGN))


def test_the_course_keeps_six_wrong_and_two_right_answers_of_every_exercise(answer, mini_course):
    for number in range(6):
        answer(f"wrong_{number}.py", LOSES_SIGN)
    answer("right_sum.py", RIGHT)
    short = shortages([mini_course.lab], own_bank([mini_course.lab]))
    assert short[0] == "01.1 double has 1 right answers; the course keeps at least 2"
    assert len(short) == 1 + 2 * 2  # and both kinds of the two exercises that have none
    answer("wrong_x.py", LOSES_SIGN, exercise="dubble")
    assert "answers/01_numbers/dubble is named after no exercise" in strays([mini_course.lab])[0]


def test_a_strangers_tree_is_read_by_the_name_of_the_folder(mini_course, tmp_path):
    bank = tmp_path / "elsewhere" / "01_numbers" / "double"
    bank.mkdir(parents=True)
    (bank / "wrong_abs.py").write_text("def double(x):\n    return 2 * abs(x)\n")  # no docstring: a stranger's
    (tmp_path / "elsewhere" / "notes.py").write_text("pass\n")
    found = strangers_bank(tmp_path / "elsewhere", [mini_course.lab])
    assert [(a.exercise, a.kind, a.malformed) for a in found] == [("double", "wrong", "")]
    with pytest.raises(CourseError, match="holds no answers"):
        strangers_bank(tmp_path / "labs", [mini_course.lab])
    with pytest.raises(CourseError, match="is not a folder"):
        strangers_bank(tmp_path / "absent", [mini_course.lab])


def test_the_command_prints_one_json_object_and_its_exit_code_is_the_verdict(mini_course, tmp_path):
    bank = tmp_path / "bank" / "double"
    bank.mkdir(parents=True)
    (bank / "wrong_abs.py").write_text(LOSES_SIGN)
    (bank / "right_sum.py").write_text(RIGHT)
    ran = CliRunner().invoke(command, ["01.1", "--bank", str(tmp_path / "bank"), "--json"])
    told = json.loads(ran.output)
    assert (ran.exit_code, told["kill_rate"], told["false_alarms"]) == (0, 1.0, 0)
    row = {"lab": "01.1", "exercise": "double", "wrong": 1, "killed": 1, "right": 1, "passed": 1}
    assert row.items() <= told["exercises"][0].items()

    (bank / "wrong_not.py").write_text(RIGHT.replace("Adds", "Message: twice\nAdds"))
    ran = CliRunner().invoke(command, ["01.1", "--bank", str(tmp_path / "bank")])
    assert ran.exit_code == 1
    assert "SURVIVOR 01.1 double/wrong_not.py: every test passed" in ran.output
    assert "kill rate 0.5, false alarms 0" in ran.output


def test_the_command_tries_one_exercise_alone(mini_course, answer):
    for number in range(6):
        answer(f"wrong_{number}.py", LOSES_SIGN)
    for number in range(2):
        answer(f"right_{number}.py", RIGHT)
    answer("wrong_nameless.py", GREETS, "greeting")  # survives, if it is tried
    ran = CliRunner().invoke(command, ["01.1", "--exercise", "double", "--seed", "5", "--json"])
    told = json.loads(ran.output)
    assert (ran.exit_code, [row["exercise"] for row in told["exercises"]]) == (0, ["double"])
    ran = CliRunner().invoke(command, ["01.1", "--exercise", "dubble"])
    assert ran.exit_code != 0 and "there is no exercise 'dubble' here" in str(ran.exception)


def test_each_lab_is_a_line_of_json_as_soon_as_it_is_done(mini_course, answer):
    answer("wrong_abs.py", LOSES_SIGN)
    run = CliRunner().invoke(command, [mini_course.lab.id, "--json", "--each"])
    [line] = run.stdout.splitlines()
    told = json.loads(line)
    assert (list(told["seconds"]), told["kill_rate"]) == ([mini_course.lab.id], 1)
    assert told["core_seconds"] > 0 and "the course keeps at least" in str(told["problems"])
    assert run.exit_code == 1
    assert CliRunner().invoke(command, ["--each"]).exit_code == 2
