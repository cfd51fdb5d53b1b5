"""Inside a worker: the grader's own functions answer no one but the grader.

A grader holds oracles: loops, closed forms, other implementations that give the right answer. An answer that got hold
of one, by whatever way, would only have to call it. So each function of the grader looks first who calls: the nearest
caller that is no library must be the grader or its toolkit. What a test hands to an answer is the answer's to call.
"""

import sys
import threading
import types
import warnings
from pathlib import Path

from common.course.grading import returns

TOOLKIT = str(Path(__file__).resolve().parents[1] / "graders")


def close(grader: types.ModuleType, lab_id: str, tell, given: set[int]) -> frozenset[int]:
    """Make the functions that a grader defines tell of calls that come from a cell of the notebook.

    Those in `given` were handed to a generator: they are its to call. Under the grader's name `sys.modules` holds its
    classes from now on, which is what libraries look for there.

    Returns:
        the identities of these functions.
    """
    own = [value for value in vars(grader).values() if getattr(value, "__module__", None) == grader.__name__]
    inner = [getattr(value, "__wrapped__", value) for value in own]  # of a cache, for example
    functions = [value for value in inner if type(value) is types.FunctionType and not value.__closure__]
    look = _look(str(grader.__file__), f"<{lab_id} ", tell, given, threading.get_ident())
    for function in functions:
        _guard(function, look)
    outside = types.ModuleType(grader.__name__)
    vars(outside).update({value.__name__: value for value in own if isinstance(value, type)})
    for name in [name for name, module in sys.modules.items() if module is grader]:
        sys.modules[name] = outside
        package = sys.modules.get(name.rpartition(".")[0])
        if package is not None:
            vars(package).pop(name.rpartition(".")[2], None)
    return frozenset(map(id, functions))


def _look(
    grader: str, mark: str, tell, given: set[int], main: int, frame_of=sys._getframe, starts=str.startswith,
    thread_of=threading.get_ident, toolkit=TOOLKIT, answers=returns.__file__, functions_in=returns.functions_in,
    identity=id,
):  # fmt: skip
    """`look(function)`: tell, where a cell called the function, or it was called in the place of an answer."""
    calls = sys.modules.get("common.course.graders.calls")  # not loaded for a grader that does without: it needs torch
    performs = calls.perform.__code__ if calls else None

    def is_trusted(frame):
        return frame is not None and starts(frame.f_code.co_filename, (grader, toolkit))

    def look(function):
        frame = frame_of(2)
        while frame is not None and not starts(frame.f_code.co_filename, (mark, answers)):
            if is_trusted(frame):
                return
            frame = frame.f_back
        if frame is None and thread_of() == main:  # pytest calls tests and fixtures
            return
        handed = identity(function) in given
        while frame is not None and not handed:  # what did the test hand over?
            if frame.f_code is performs:
                handed = function in functions_in(frame.f_locals["arguments"])
            elif frame.f_code.co_filename == answers and is_trusted(frame.f_back):
                handed = function in functions_in(frame.f_locals["args"], frame.f_locals["kwargs"])
            frame = frame.f_back
        if not handed:
            tell("tampered", f"called `{function.__name__}`, a function of the tests")

    return look


def _guard(function: types.FunctionType, look) -> None:
    """Give a function code that looks first, wherever the function is held. Its code has what it needs as constants."""
    inner = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    inner.__kwdefaults__ = function.__kwdefaults__
    text = "def f(*args, **kwargs):\n 'look'('function')\n return 'inner'(*args, **kwargs)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a text that is called
        whole = compile(text, __file__, "exec")
    [code] = [constant for constant in whole.co_consts if isinstance(constant, types.CodeType)]
    held = {"look": look, "function": function, "inner": inner}
    constants = tuple(held.get(constant, constant) for constant in code.co_consts)
    function.__code__ = code.replace(co_consts=constants, co_name=function.__name__)
