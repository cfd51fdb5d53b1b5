"""`attempt` and `refuses`: the crash of an answer is a failed test that names it; other statuses pass through."""

import numpy as np
import pytest

from common.course.errors import AnswerKeyUsed
from common.course.grader_tools import attempt, refuses


def raises(error):
    raise error


def test_attempt_gives_what_the_call_gives():
    assert attempt("divmod(7, 2)", divmod, 7, 2) == (3, 1)


def test_attempt_names_the_call_and_the_crash():
    words = r"halves\(0\) should give an answer.*ZeroDivisionError: by zero"
    with pytest.raises(AssertionError, match=words) as caught:
        attempt("halves(0)", raises, ZeroDivisionError("by zero"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("error", [NotImplementedError(), AnswerKeyUsed("the key")])
def test_unwritten_and_borrowed_answers_keep_their_own_status(error):
    with pytest.raises(type(error)):
        attempt("f()", raises, error)
    with pytest.raises(type(error)):
        refuses("f()", None, raises, error)


def test_refuses_wants_a_value_error_that_names_the_value():
    refuses("f(-3)", -3, raises, ValueError("num_frames must be at least 1, got -3"))
    refuses("f(-3)", None, raises, ValueError("no"))
    with pytest.raises(AssertionError, match="name the offending value, -3"):
        refuses("f(-3)", -3, raises, ValueError("no"))
    with pytest.raises(AssertionError, match=r"raises KeyError.*should raise ValueError that names the value -3"):
        refuses("f(-3)", -3, raises, KeyError("k"))


def test_an_answer_where_none_should_be_fails_and_is_shown_briefly():
    with pytest.raises(pytest.fail.Exception, match=r"f\(\) gave ndarray of shape \(4, 5\); it should"):
        refuses("f()", None, lambda: np.zeros((4, 5)))
    with pytest.raises(pytest.fail.Exception, match=r"gave \[0, 1, 2,.{60,80}…; it should"):
        refuses("f()", None, lambda: list(range(500)))
