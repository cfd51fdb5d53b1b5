"""What every grader needs to say: this call must work, that call must be refused."""

from collections.abc import Callable

import pytest

from common.course.errors import AnswerKeyUsed


def attempt(said: str, function: Callable, *args, **kwargs):
    """`function(*args, **kwargs)`, where an answer that crashes is a wrong answer: the test fails and names the crash.

    An answer that is not written yet, or that uses the library's own part, keeps its own status.

    Args:
        said: the call as the learner would type it, for the message, such as `"even_indices(48, 4)"`.
    """
    try:
        return function(*args, **kwargs)
    except (NotImplementedError, AnswerKeyUsed):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise AssertionError(f"{said} should give an answer, but your code raises {reason}") from error


def refuses(said: str, names, function: Callable, *args, **kwargs) -> None:
    """`function(*args, **kwargs)` must raise `ValueError`, and its message must hold `names` (None for any message)."""
    wanted = "it should raise ValueError" + ("" if names is None else f" that names the value {names}")
    try:
        got = function(*args, **kwargs)
    except (NotImplementedError, AnswerKeyUsed):
        raise
    except ValueError as error:
        if names is not None and str(names) not in str(error):
            missing = f"name the offending value, {names}, in the message"
            raise AssertionError(f"{said} raises ValueError({str(error)!r}): {missing}") from error
    except Exception as error:
        raise AssertionError(f"{said} raises {type(error).__name__}: {error}; {wanted}") from error
    else:
        pytest.fail(f"{said} gave {_brief(got)}; {wanted}")


def _brief(value) -> str:
    """A value in a few words: a tensor or array by its shape, anything else by its first characters."""
    if hasattr(value, "shape"):
        return f"{type(value).__name__} of shape {tuple(value.shape)}" if len(value.shape) else str(value)
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
