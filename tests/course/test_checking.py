"""Every answer gets one status and the words that help, and the kernel is left as it was."""

import os
import time
from pathlib import Path

import _pytest.main
import pytest

from common.course.base.paths import CourseError
from common.course.checking import loader, runner


def test_right_answers_pass_and_earn_every_point(mini_course):
    results = mini_course.run()
    assert [r.status for r in results.values()] == ["pass"] * 5
    assert sum(r.earned for r in results.values()) == sum(r.points for r in results.values()) == 9


def test_an_untouched_lab_scores_nothing_and_says_not_written(mini_course):
    results = runner.run_tests(mini_course.lab, submission=mini_course.lab.notebook("labs"))
    assert {(r.status, r.message, r.earned) for r in results} == {("todo", "not written yet", 0.0)}


def test_a_wrong_answer_fails_with_the_testers_words_and_nothing_else(mini_course):
    results = mini_course.run({"double": "def double(x):\n    return 2 * abs(x)"}, "double")
    assert [r.status for r in results.values()] == ["pass", "fail", "pass"]
    wrong = results["test_double_of_others[-2]"]
    assert wrong.message == "the sign is lost: twice -2 is -4, and yours gives 4"
    assert (wrong.points, wrong.earned, wrong.hint) == (2.0, 0.0, "What is twice a negative number?")
    assert wrong.title == "twice a number that is not positive [-2]"


def test_a_crash_names_the_line_of_the_learners_cell(mini_course):
    source = "def double(x):\n    half = x / 2\n    return half.shape[0]"
    result = mini_course.run({"double": source}, "double")["test_double_of_three"]
    assert result.status == "error"
    assert "AttributeError" in result.message
    assert "(line 3 of your cell: `return half.shape[0]`)" in result.message
    assert "Traceback" not in result.message and "site-packages" not in result.message


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("def double(x):\n    return 2 *", "error", "SyntaxError"),
        ("raise ValueError('at once')\ndef double(x): return 2 * x", "error", "ValueError: at once (line 1"),
        ("def double(x):\n    return helper(x)", "error", "`helper` is not defined: run the cell that defines it"),
        ("def double(x):\n    assert x > 100, 'mine'\n    return 2 * x", "error", "mine (line 2"),
        ("def double(x):\n    return double(x)", "error", "calls itself without end"),
        ("def double(x):\n    import sys; sys.exit(0)", "error", "SystemExit"),
        ("def double(x):\n    import pytest; pytest.skip('no need')", "error", "no need"),
        ("def double(x):\n    import pytest; pytest.xfail('no need')", "error", "no need"),
        ("def double(x):\n    import pytest; pytest.exit('enough')", "error", "stopped before this test ended"),
        ("def double(x):\n    raise NotImplementedError('later')", "todo", "not written yet"),
        ("raise NotImplementedError", "todo", "not written yet"),
        ("x = 1", "todo", "`double` is not in the notebook"),
        ("import torch\ndef double(x):\n    return torch.zeros(3)[5]", "error", "IndexError"),
    ],
)
def test_what_goes_wrong_has_one_status_and_its_own_words(mini_course, source, status, words):
    result = mini_course.run({"double": source}, "double")["test_double_of_three"]
    assert (result.status, result.earned) == (status, 0.0)
    assert words in result.message


def test_an_operation_that_torch_lacks_is_an_error_and_not_an_empty_answer(mini_course):
    source = "import torch\ndef double(x):\n    return torch.nn.Module()(x)"
    result = mini_course.run({"double": source}, "double")["test_double_of_three"]
    assert result.status == "error" and "forward" in result.message


def test_an_unusable_return_value_is_a_wrong_answer(mini_course):
    mini_course.write_grader(
        """
        import pytest

        @pytest.mark.exercise("double")
        def test_shape(lab):
            assert lab.double(3).shape == (2,), "the shape is wrong"
        """
    )
    result = mini_course.run({"double": "def double(x):\n    pass"})["test_shape"]
    assert result.status == "fail"
    assert "could not use what your code gave back" in result.message and "NoneType" in result.message


def test_a_missing_file_of_the_grader_is_not_the_learners_mistake(mini_course):
    mini_course.write_grader(
        """
        import pytest

        @pytest.mark.exercise("double")
        def test_data(lab):
            open("/does/not/exist")
        """
    )
    assert mini_course.run()["test_data"].status == "error"


def test_a_crash_that_the_grader_calls_wrong_still_names_the_learners_line(mini_course):
    mini_course.write_grader(
        """
        import pytest
        from common.course.graders import attempt

        @pytest.mark.exercise("double")
        def test_it(lab):
            attempt("double(3)", lab.double, 3)
        """
    )
    result = mini_course.run({"double": "def double(x):\n    return x.y"})["test_it"]
    assert result.status == "fail" and result.message.endswith("'y' (line 2 of your cell: `return x.y`)")


def test_an_assertion_without_words_shows_what_does_not_hold(mini_course):
    mini_course.write_grader(
        """
        import pytest

        @pytest.mark.exercise("double")
        def test_it(lab):
            assert lab.double(3) == 7
        """
    )
    assert mini_course.run()["test_it"].message == "does not hold: `lab.double(3) == 7`"


def test_long_tensors_and_long_lists_are_abbreviated(mini_course):
    mini_course.write_grader(
        """
        import pytest
        import torch

        @pytest.mark.exercise("double")
        @pytest.mark.parametrize("make", [list, torch.tensor], ids=["list", "tensor"])
        def test_it(lab, make):
            assert False, f"yours gives {make(range(1000))} here"
        """
    )
    for result in mini_course.run().values():
        assert len(result.message) < 160
        assert (
            result.message.startswith("yours gives ") and "999" in result.message and result.message.endswith(" here")
        )


def test_what_the_answer_printed_is_shown_only_when_it_is_not_right(mini_course, capsys):
    loud = "def double(x):\n    print('got', x)\n    return 2 * abs(x)"
    results = mini_course.run({"double": loud}, "double")
    assert results["test_double_of_others[-2]"].message.endswith("your code printed:\n  got -2")
    assert results["test_double_of_three"].message == ""
    assert capsys.readouterr().out == ""


# Exercises that build on others


def test_an_exercise_whose_ground_is_missing_is_blocked_and_not_failed(mini_course):
    results = mini_course.run({"double": "def double(x):\n    return x + 2"}, "quadruple")
    assert list(results) == ["test_quadruple"], "only what was asked for is reported"
    assert (results["test_quadruple"].status, results["test_quadruple"].message) == ("blocked", "finish `double` first")


def test_a_stub_that_another_exercise_calls_blocks_it(mini_course):
    results = mini_course.run({"double": mini_course.stub("double")})
    assert results["test_double_of_three"].message == "not written yet"
    assert results["test_quadruple"].status == "blocked"


def test_a_right_answer_passes_whatever_it_builds_on(mini_course):
    cells = {"double": "def double(x):\n    return x + 2", "quadruple": "def quadruple(x):\n    return 4 * x"}
    results = mini_course.run(cells)
    assert results["test_quadruple"].status == "pass" and results["test_double_of_others[-2]"].status == "fail"


def test_a_wrong_answer_on_firm_ground_fails(mini_course):
    assert (
        mini_course.run({"quadruple": "def quadruple(x):\n    return x"}, "quadruple")["test_quadruple"].status
        == "fail"
    )


def test_an_empty_exercise_stays_to_do_even_when_its_ground_is_missing(mini_course):
    cells = {name: mini_course.stub(name) for name in ("double", "quadruple")}
    assert mini_course.run(cells)["test_quadruple"].status == "todo"


# The ways in


def test_a_loaded_module_can_be_tested_with_one_answer_exchanged(mini_course):
    cells = loader.read_cells(mini_course.write())
    other = loader.replace_exercise(cells, "greeting", "def greeting(name):\n    return 'Hello'")
    results = runner.run_tests(mini_course.lab, ["greeting"], module=loader.load_cells(other, "01.1"))
    assert [(r.exercise, r.status) for r in results] == [("greeting", "fail")]


def test_the_listener_hears_the_start_and_the_end_of_every_test(mini_course):
    heard = []
    mini_course.run(listener=lambda event, result: heard.append((event, result.test)))
    names = [r.test for r in runner.expected_tests(mini_course.lab)]
    assert heard == [(event, name) for name in names for event in ("start", "end")]


def test_deselected_tests_do_not_run(mini_course):
    assert list(mini_course.run(deselect={"test_greeting", "test_quadruple"}))[-1] == "test_double_of_others[0]"


def test_the_expected_tests_are_known_without_any_answer(mini_course):
    expected = runner.expected_tests(mini_course.lab)
    assert [(r.test, r.exercise, r.points) for r in expected] == [
        ("test_double_of_three", "double", 1),
        ("test_double_of_others[-2]", "double", 2),
        ("test_double_of_others[0]", "double", 2),
        ("test_quadruple", "quadruple", 3),
        ("test_greeting", "greeting", 1),
    ]


def test_an_edited_grader_counts_at_once(mini_course):
    assert mini_course.run()["test_greeting"].status == "pass"
    time.sleep(0.01)
    mini_course.write_grader(mini_course.grader.replace('"Ada" in', '"Grace" in'))
    os.utime(mini_course.lab.tests, ns=(1, time.time_ns()))
    assert mini_course.run()["test_greeting"].status == "fail"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda course: course.write_grader("import no_such_module"), "no_such_module"),
        (lambda course: course.write_grader("def broken(:"), "SyntaxError"),
        (lambda course: course.lab.tests.unlink(), "has no grader"),
    ],
)
def test_a_broken_grader_is_said_and_never_a_verdict(mini_course, change, words):
    change(mini_course)
    with pytest.raises(CourseError, match=words):
        mini_course.run()


def test_an_unknown_exercise_is_said_with_the_known_ones(mini_course):
    with pytest.raises(CourseError) as caught:
        mini_course.run(exercise="dubble")
    said = "no exercise 'dubble'. Did you mean double? Its exercises are: double, quadruple, greeting."
    assert said in str(caught.value)


def test_ctrl_c_ends_a_check(mini_course):
    with pytest.raises(KeyboardInterrupt):
        mini_course.run({"double": "def double(x):\n    raise KeyboardInterrupt"})


# In the notebook


def live(course, cells=None):
    """A kernel's namespace after the cells with these answers were run."""
    namespace = {"__name__": "__main__"}
    for source in (course.answers | (cells or {})).values():
        exec(compile(source, "/tmp/ipykernel_1/2.py", "exec", dont_inherit=True), namespace)
    return namespace


def test_check_in_a_notebook_judges_what_the_kernel_holds_now(mini_course):
    namespace = live(mini_course)
    assert runner.check("01.1", "double", namespace).ok
    namespace["double"] = lambda x: x
    outcome = runner.check("01.1", "double", namespace)
    assert not outcome.ok and "yours gives 3" in repr(outcome) and "yours gives 3" in outcome._repr_html_()
    del namespace["double"]
    outcome = runner.check("01.1", "double", namespace)
    assert {r.status for r in outcome.results} == {"todo"}
    assert "run the cell that defines it" in repr(outcome)


def test_a_passed_check_says_what_comes_next(mini_course):
    namespace = live(mini_course)
    assert "Next: `quadruple`." in repr(runner.check("01.1", "double", namespace))
    assert "<code>quadruple</code>" in runner.check("01.1", "double", namespace)._repr_html_()
    assert "All 3 exercises pass." in repr(runner.check("01.1", "greeting", namespace))


def test_check_takes_the_callers_names_outside_a_notebook(mini_course):
    namespace = live(mini_course) | {"check": runner.check}
    exec('outcome = check("01.1", "greeting")', namespace)
    assert namespace["outcome"].ok


def test_under_nbgrader_a_check_gives_partial_credit_or_raises(mini_course, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert runner.check("01.1", "double", live(mini_course)) == 5.0
    half = live(mini_course, {"double": "def double(x):\n    return 2 * abs(x)"})
    assert runner.check("01.1", "double", half) == 3.0
    with pytest.raises(runner.CheckFailed):
        runner.check("01.1", "double", live(mini_course, {"double": mini_course.stub("double")}))
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with pytest.raises(runner.CheckFailed):
        runner.check("01.1", "double", half)


def test_in_strict_mode_a_wrong_answer_raises(mini_course, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_STRICT", "1")
    assert runner.check("01.1", "double", live(mini_course)).ok
    with pytest.raises(runner.CheckFailed, match="0 of 3 tests pass"):
        runner.check("01.1", "double", live(mini_course, {"double": mini_course.stub("double")}))


def test_no_folder_above_the_graders_is_listed(mini_course, monkeypatch):
    """A course in a crowded folder is checked as fast as in an empty one."""
    listed = []
    scandir = _pytest.main.scandir
    monkeypatch.setattr(_pytest.main, "scandir", lambda path, *more: listed.append(Path(path)) or scandir(path, *more))
    mini_course.run()
    assert set(listed) == {mini_course.lab.tests.parent}
