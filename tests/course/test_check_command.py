"""`flipbook check`: the exit code is the verdict, and a mistake in the call is one line."""

import io
import json
import os

import pytest
from click.testing import CliRunner

from common.course.__main__ import main
from common.course.base.results import Result
from common.course.commands import check as command
from common.course.learner import progress


def flipbook(*words, **environment):
    return CliRunner().invoke(main, words, env={"FLIPBOOK_DEBUG": None} | environment)


def test_the_exit_code_is_zero_only_when_everything_passes(mini_course):
    mini_course.write("work")
    assert flipbook("check", "01.1").exit_code == 0
    mini_course.write("work", {"double": "def double(x):\n    return 2 * abs(x)"})
    said = flipbook("check", "01.1")
    assert said.exit_code == 1 and "the sign is lost" in said.stdout and "7 of 9 points" in said.stdout
    assert flipbook("check", "01.1", "greeting").exit_code == 0
    assert flipbook("check", "01.1", "--target", "labs").exit_code == 1
    assert flipbook("check", "1.1", "--target", "solutions").exit_code == 0


def test_a_lab_that_was_not_started_is_said_and_scores_nothing(mini_course):
    said = flipbook("check", "01.1")
    assert said.exit_code == 1
    assert "was not started" in said.stderr and "flipbook start 01.1" in said.stderr
    assert "0 of 9 points" in said.stdout and "not written yet" in said.stdout


def test_json_holds_every_result_and_nothing_else_is_printed(mini_course):
    mini_course.write("work", {"double": mini_course.stub("double")})
    said = json.loads(flipbook("check", "01.1", "--json").stdout)
    assert (said["lab"], said["ok"], said["earned"], said["points"]) == ("01.1", False, 1, 9)
    assert [(r["exercise"], r["status"]) for r in said["results"]][-2:] == [
        ("quadruple", "blocked"),
        ("greeting", "pass"),
    ]


def test_only_the_learners_own_notebook_counts_as_progress(mini_course):
    mini_course.write("work", {"double": mini_course.stub("double")})
    flipbook("check", "01.1", "--target", "solutions")
    assert progress.load()["labs"] == {}
    flipbook("check", "01.1")
    exercises = progress.load()["labs"]["01.1"]["exercises"]
    assert (exercises["greeting"]["status"], exercises["double"]["status"]) == ("pass", "todo")


def test_any_notebook_file_can_be_checked(mini_course, tmp_path):
    file = mini_course.write(tmp_path / "elsewhere" / "mine.ipynb")
    assert flipbook("check", "01.1", "--notebook", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "09.9"), "flipbook: there is no lab '09.9'"),
        (
            ("check", "01.1", "dubble"),
            "flipbook: lab 01.1 has no exercise 'dubble'. Did you mean double? "
            "Its exercises are: double, quadruple, greeting.",
        ),
        (("check", "01.1", "--notebook", "none.ipynb"), "flipbook: there is no notebook none.ipynb"),
    ],
)
def test_a_mistake_in_the_call_is_one_line_and_exit_code_two(mini_course, words, message):
    mini_course.write("work")
    said = flipbook(*words)
    assert said.exit_code == 2 and said.stdout == ""
    assert said.stderr.startswith(message) and len(said.stderr.strip().splitlines()) == 1


def test_debug_shows_where_an_error_comes_from(mini_course):
    said = flipbook("--debug", "check", "09.9")
    assert type(said.exception).__name__ == "CourseError"
    assert type(flipbook("check", "09.9", FLIPBOOK_DEBUG="1").exception).__name__ == "CourseError"


def test_a_broken_notebook_is_one_line(mini_course):
    mini_course.write("work").write_text("{")
    said = flipbook("check", "01.1")
    assert said.exit_code == 2 and "not a readable notebook" in said.stderr and "Traceback" not in said.output


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_long_check_says_what_it_is_at_and_a_short_one_is_silent(monkeypatch):
    test = Result("t", "frames come in order", "f")
    monkeypatch.setattr(command, "QUIET_SECONDS", 3600.0)
    with command.Progress(Terminal()) as quiet:
        quiet.listen("start", test)
    assert quiet.stream.getvalue() == ""
    monkeypatch.setattr(command, "QUIET_SECONDS", -1.0)
    with command.Progress(Terminal()) as loud:
        loud.listen("start", test)
    assert "now: frames come in order" in loud.stream.getvalue() and loud.stream.getvalue().endswith("\r\033[K")
    with command.Progress(io.StringIO()) as piped:
        piped.listen("start", test)
    assert piped.stream.getvalue() == ""


def test_the_check_path_loads_no_notebook_library(mini_course):
    """nbformat, jupytext and IPython cost more than a whole check."""
    import subprocess
    import sys

    mini_course.write("work")
    program = (
        "import sys; from common.course.commands import check as c; from common.course.checking import runner; "
        "from common.course.source import lab_source; "
        "runner.run_tests(lab_source.find_lab('01.1')); "
        "print([m for m in ('nbformat', 'jupytext', 'IPython', 'nbclient', 'jinja2', 'diffusers') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True)
    assert said.stdout.strip() == "[]"
