"""What an exception means to a learner: one status and one short message."""

import ast
import dis
import linecache
import re
import sys
import traceback

from common.course.errors import AnswerKeyUsed

NOT_WRITTEN = "not written yet"
MESSAGE_LINES, MESSAGE_LENGTH = 14, 900
NAMESPACES = {"globals", "vars", "locals", "exec", "eval", "setattr"}  # by which a name can be defined as data


class NotDefined(AttributeError):
    """The notebook has no such name, or its cell was not run."""


class CellFailed(Exception):
    """A name is missing because the cell that should define it crashed."""


class SlowCells(Exception):
    """Code outside a test's own body took too long. An `Exception`: pytest's set-up must be able to file it."""


class TestTimeout(BaseException):
    """A test took too long. A `BaseException`, so that an answer's `except Exception` cannot swallow it."""

    __test__ = False  # pytest: not a test class


def status_of(exc: BaseException, exercise: str, namespace: dict, test_file: str) -> tuple[str, str]:
    """The status of a test that ended with `exc`, and the message for the learner.

    Args:
        exc: what the test ended with.
        exercise: the exercise that the test belongs to.
        namespace: the globals of the learner's cells; frames with these globals are theirs.
        test_file: the grader's path; frames in this file are the test's.
    """
    if isinstance(exc, TestTimeout | SlowCells):
        return "timeout", str(exc)
    if isinstance(exc, NotDefined):
        return "todo", str(exc)
    if isinstance(exc, CellFailed):
        cause = exc.__cause__
        return ("todo", NOT_WRITTEN) if isinstance(cause, NotImplementedError) else ("error", shorten(str(exc)))
    if isinstance(exc, AnswerKeyUsed):
        return "fail", str(exc)

    frames = list(traceback.walk_tb(exc.__traceback__))
    owner = _owner(frames, namespace, test_file)
    if isinstance(exc, NotImplementedError) and _is_stub(exc, frames):
        return "todo", _unwritten(frames, namespace, exercise)
    if _is_pytest_fail(exc) and owner != "learner":
        return "fail", shorten(str(exc))
    if isinstance(exc, AssertionError) and owner == "test":
        cause = exc.__cause__  # the grader's words about a crash
        where = _where(cause, namespace) if cause else ""
        cell = _left_out_cell(cause.name, namespace) if isinstance(cause, NameError) and cause.name else ""
        return "fail", shorten(_said(exc) + where + (f"\n{cell}" if cell else "")) or _bare_assert(frames, test_file)
    if owner == "test" and isinstance(exc, TypeError | AttributeError | LookupError | ValueError | RuntimeError):
        return "fail", shorten(f"the test could not use what your code gave back: {describe(exc, namespace)}")
    return "error", shorten(describe(exc, namespace))


def describe(exc: BaseException, namespace: dict) -> str:
    """The exception in one line, with the line of the learner's cell in which it arose."""
    text = str(exc).strip()
    if isinstance(exc, SyntaxError):
        line = (exc.text or "").strip()
        return f"{type(exc).__name__}: {exc.msg} (line {exc.lineno} of your cell" + (f": `{line}`)" if line else ")")
    if isinstance(exc, NameError) and not isinstance(exc, UnboundLocalError) and exc.name:
        text = _undefined(exc.name, namespace)
    elif isinstance(exc, RecursionError):
        text = "the function calls itself without end"
    elif text and len(text) > 300:
        text = text[:300] + " …"
    said = f"{type(exc).__name__}: {text}" if text else type(exc).__name__
    return said + _where(exc, namespace)


def _undefined(name: str, namespace: dict) -> str:
    """What to do about a name that is not there."""
    cell = _left_out_cell(name, namespace)
    return f"`{name}` is not defined: {cell or 'run the cell that defines it, or define it in this cell'}"


def _left_out_cell(name: str, namespace: dict) -> str:
    """A sentence on the cell whose statement may define the name and was not run; empty where there is none."""
    for label, line, statement in namespace.get("_left_out", ()):
        if _may_define(line, statement, name, namespace):
            return (
                f"of your `{label}` a check does not run `{line[:80]}`, since it runs imports, "
                f"definitions and assignments. Write `{name} = …` there, or define it in the exercise's cell"
            )
    return ""


def _may_define(line: str, statement: ast.stmt, name: str, namespace: dict) -> bool:
    """Whether a statement that is no assignment may define the name: in a namespace as data, or in a function."""
    if line.startswith(("%run", "%load")):  # a magic, which is no statement of Python
        return True
    nodes = list(ast.walk(statement))
    word = re.compile(rf"\b{re.escape(name)}\b")
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    texts += [node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg]
    if any(isinstance(node, ast.Name) and node.id in NAMESPACES for node in nodes) and any(map(word.search, texts)):
        return True
    called = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    codes = [code for code in (getattr(namespace.get(one), "__code__", None) for one in called) if code is not None]
    return any(
        (step.opname == "STORE_GLOBAL" and step.argval == name)
        or (NAMESPACES & {*code.co_names} and name in code.co_consts)
        for code in codes
        for step in dis.get_instructions(code)
    )


def shorten(text: str) -> str:
    """Fold long number lists and long messages, so that the first lines say what is wrong."""
    text = re.sub(r"\s*\n\s*\n+", "\n", text.strip())
    text = re.sub(r"((?:-?[\w.+-]+, ){8})(?:-?[\w.+-]+,\s+){4,}((?:-?[\w.+-]+)(?=[\])]))", r"\1…, \2", text)
    lines = [line if len(line) <= 300 else line[:299] + "…" for line in text.splitlines()]
    if len(lines) > MESSAGE_LINES:
        lines = [*lines[:MESSAGE_LINES], "…"]
    text = "\n".join(lines)
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"


def _where(exc: BaseException, namespace: dict) -> str:
    learner = [(f, n) for f, n in traceback.walk_tb(exc.__traceback__) if f.f_globals is namespace]
    if not learner:
        return ""
    frame, number = learner[-1]
    line = linecache.getline(frame.f_code.co_filename, number).strip()
    return f" (line {number} of your cell" + (f": `{line}`)" if line else ")")


def _is_pytest_fail(exc: BaseException) -> bool:
    outcomes = sys.modules.get("_pytest.outcomes")  # not imported for this: the loader serves programs without pytest
    return outcomes is not None and type(exc) is outcomes.Failed


def _owner(frames: list, namespace: dict, test_file: str) -> str:
    """Whose code was running last, learner or test; libraries are charged to whoever called them."""
    for frame, _ in reversed(frames):
        if frame.f_globals is namespace:
            return "learner"
        if frame.f_code.co_filename == test_file:
            return "test"
    return "neither"


def _is_stub(exc: NotImplementedError, frames: list) -> bool:
    """A released stub raises without words; torch and abstract methods say which operation is missing."""
    if not exc.args or not str(exc):
        return True
    frame, number = frames[-1]
    file = frame.f_code.co_filename
    return "site-packages" not in file and "raise NotImplementedError" in linecache.getline(file, number)


def _unwritten(frames: list, namespace: dict, exercise: str) -> str:
    """Which part is the empty one: the exercise itself, or one that it calls."""
    owners = [f.f_code.co_qualname.split(".")[0] for f, _ in frames if f.f_globals is namespace]
    part = owners[-1] if owners else exercise
    return NOT_WRITTEN if part in (exercise, "<module>", "<lambda>") else f"`{part}` is {NOT_WRITTEN}"


def _said(exc: AssertionError) -> str:
    """The tester's own words, without what pytest's rewriting of assertions adds below them."""
    text = str(exc)
    return "" if text.startswith("assert ") else text.split("\nassert ")[0]


def _bare_assert(frames: list, test_file: str) -> str:
    """An assertion without words: show the expression that does not hold."""
    ours = [(f, n) for f, n in frames if f.f_code.co_filename == test_file]
    frame, number = ours[-1] if ours else frames[-1]
    line = linecache.getline(frame.f_code.co_filename, number).strip()
    return f"does not hold: `{line.removeprefix('assert ')}`"
