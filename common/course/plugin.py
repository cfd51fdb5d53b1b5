"""The pytest plugin behind every check: the `lab`, `seed` and `look` fixtures, the `exercise` marker, the results.

pytest tests/labs -p common.course.plugin                     check solutions/
pytest tests/labs -p common.course.plugin --target labs       check the fill-in labs
pytest tests/labs/01_tensors -p common.course.plugin --submission mine.ipynb
"""

import contextlib
from dataclasses import dataclass, field

import pytest

from common.course.base import paths
from common.course.base.parts import Part
from common.course.base.results import Result
from common.course.checking import explain, loader, off_limits
from common.course.checking.guards import Printed, Tampering, one_thread, reseed, tamper_guard, time_limit
from common.course.checking.marks import EXERCISE_MARK, blank_result, is_lab_test, lab_of


@dataclass
class Session:
    """What one run works on and what it found."""

    namespace: dict | None = None  # of a live kernel
    submission: str | None = None  # a notebook's path
    modules: dict = field(default_factory=dict)  # notebook path -> module, or the exception that loading it raised
    module: object = None  # an already loaded module
    listener: object = None  # called as listener("start" | "end", Result)
    proof: object = None  # called as proof(item, module) when a test's body has passed
    exercises: set | None = None
    deselect: frozenset = frozenset()
    timeout: float = 20.0
    seed: int = 0
    collected: list = field(default_factory=list)  # every test of the file, before any is left out
    results: list = field(default_factory=list)
    parts: dict = field(default_factory=dict)  # lab -> the library parts that its exercises ask for
    enough: object = None  # called as enough(results) after each test; the run ends where it says True
    stopped: str = ""  # why it did


LESS = 0.2  # of the time limit
SESSION = pytest.StashKey[Session]()
PICTURES = pytest.StashKey[list]()
KEY = pytest.StashKey[off_limits.AnswerKey]()
PRINTED = pytest.StashKey[Printed]()
LAST_GLOBALS = pytest.StashKey[dict]()


def pytest_addoption(parser):
    group = parser.getgroup("flipbook")
    group.addoption("--submission", help="check this notebook instead of the one in --target")
    group.addoption("--target", choices=["solutions", "labs", "work"], default="solutions")
    group.addoption("--answer-timeout", type=float, default=20.0, help="seconds that one test of a lab may take")
    group.addoption("--answer-seed", type=int, default=0, help="the `seed` fixture; verdicts must not depend on it")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.addinivalue_line("markers", EXERCISE_MARK)
    if SESSION not in config.stash:
        option = config.option
        config.stash[SESSION] = Session(
            submission=option.submission, timeout=option.answer_timeout, seed=option.answer_seed
        )


def pytest_collection_modifyitems(config, items):
    session = config.stash[SESSION]
    session.collected = [blank_result(item) for item in items if is_lab_test(item)]

    def wanted(item):
        if not is_lab_test(item):
            return session.exercises is None
        result = blank_result(item)
        asked = session.exercises is None or result.exercise in session.exercises
        return asked and result.test not in session.deselect

    items[:] = [item for item in items if wanted(item)]


@pytest.fixture
def seed(request) -> int:
    """A number to seed random inputs with. Instructors change it; no verdict may depend on it."""
    return request.config.stash[SESSION].seed


@pytest.fixture
def lab(request):
    """The learner's module: an attribute for each name of the notebook."""
    session = request.config.stash[SESSION]
    module = _module(session, request)
    request.node.stash[LAST_GLOBALS] = loader.namespace_of(module)
    request.node.stash[KEY].serve(module)
    reseed(session.seed)
    return module


@pytest.fixture
def look(request):
    """`look(target=..., yours=...)`: clips, pictures or curves for the learner, drawn where someone looks at them.

    What fails is drawn everywhere but in `mutants`; what passes only in the notebook that asked.
    """
    shown = request.node.stash.setdefault(PICTURES, [])

    def remember(*, target, yours, about=""):
        shown.append((target, yours, about))

    return remember


def _module(session: Session, request):
    if session.namespace is not None:
        return loader.LiveModule(session.namespace)
    if session.module is not None:
        return session.module
    which = lab_of(request.node)
    path = str(session.submission or which.notebook(request.config.getoption("target", "solutions")))
    if path not in session.modules:
        session.modules[path] = _load(path, which, session.timeout)
    if isinstance(session.modules[path], Exception):
        raise session.modules[path]
    return session.modules[path]


def _load(path: str, which: paths.Lab, timeout: float):
    """The module, or the `Exception` that says why there is none (never a `BaseException`: pytest keeps those)."""
    try:
        with tamper_guard(), time_limit(timeout):
            return loader.load(path, which.id)
    except explain.TestTimeout as exc:
        return explain.SlowCells(f"the exercise cells of the notebook together {exc}")
    except Exception as exc:
        return exc
    except BaseException as exc:
        return explain.CellFailed(f"the notebook ended the program ({type(exc).__name__})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """From before the set-up until after the clean-up the library's parts are out of reach; torch has one thread."""
    if not is_lab_test(item):
        return (yield)
    session = item.config.stash[SESSION]
    with off_limits.AnswerKey(parts_for(session, lab_of(item))) as key, one_thread():
        item.stash[KEY] = key
        return (yield)


def parts_for(session: Session, which: paths.Lab) -> list[Part]:
    """The library parts that are closed while this lab's tests run; looked up once a session."""
    if which not in session.parts:
        session.parts[which] = off_limits.parts_of(which, _cells_of(session, which))
    return session.parts[which]


def _cells_of(session: Session, which: paths.Lab) -> list:
    """The cells whose metadata name the library parts, where the lab's source is not at hand."""
    if which.source.exists():
        return []
    for path in (which.notebook("labs"), session.submission):
        with contextlib.suppress(paths.CourseError):
            if path:
                return loader.read_cells(path)
    return []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    if not is_lab_test(item):
        return (yield)
    session = item.config.stash[SESSION]
    if session.listener:
        session.listener("start", blank_result(item))
    reseed(session.seed)
    with time_limit(2 * session.timeout, explain.SlowCells):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if not is_lab_test(item):
        return (yield)
    session = item.config.stash[SESSION]
    reseed(session.seed)
    guard = contextlib.nullcontext() if "monkeypatch" in item.fixturenames else tamper_guard()
    printed = item.stash[PRINTED] = Printed()
    with contextlib.redirect_stdout(printed), guard, time_limit(_patience(session, blank_result(item).exercise)):
        value = yield
        if session.proof and "lab" in item.funcargs:
            session.proof(item, item.funcargs["lab"])
        return value


def _patience(session: Session, exercise: str) -> float:
    """Seconds for a test. An answer that did not end once is given less time by the next tests of its exercise."""
    hung = any(r.status == "timeout" and r.exercise == exercise for r in session.results)
    return session.timeout * LESS if hung else session.timeout


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if is_lab_test(item) and (call.when == "call" or (call.when == "setup" and not report.passed)):
        session = item.config.stash[SESSION]
        result = blank_result(item)
        result.seconds = call.duration
        try:
            _judge(item, call, result, session)
        except Exception as exc:  # an exception in this hook would end the run without a word
            result.status, result.message = "error", f"the check itself failed: {type(exc).__name__}: {exc}"
        session.results.append(result)
        item.user_properties += [("exercise", result.exercise), ("points", result.points), ("status", result.status)]
        if session.listener:
            session.listener("end", result)
        if session.enough and session.enough(session.results):
            item.session.shouldstop = session.stopped = "enough is known"
        if report.failed and item.config.getoption("tbstyle", "auto") == "auto":
            report.longrepr = f"[{result.status}] {result.title}\n    {result.message}"
    return report


def _judge(item, call, result: Result, session: Session) -> None:
    if call.excinfo is None:
        result.status = "pass"
        if session.namespace is not None and not session.enough:  # a notebook: what passes is worth a look too
            result.pictures = _draw(item.stash.get(PICTURES, [])[-1:])
        return
    exc = call.excinfo.value
    if isinstance(exc, Tampering):
        result.status, result.message = "fail", str(exc)
    else:
        namespace = item.stash.get(LAST_GLOBALS, {})
        result.status, result.message = explain.status_of(exc, result.exercise, namespace, str(item.path))
    if result.status in ("fail", "error"):
        if not session.enough:  # someone looks at them
            result.pictures = _draw(item.stash.get(PICTURES, []))
        if lines := item.stash.get(PRINTED, Printed()).getvalue().splitlines()[:6]:
            result.message += "\nyour code printed:\n" + "\n".join("  " + line[:120] for line in lines)


def _draw(shown: list) -> list[tuple[str, str]]:
    from common.course.checking.pictures import picture

    pictures = []
    for target, yours, about in shown[-2:]:
        with contextlib.suppress(Exception):  # an answer may be of any kind, and a verdict is due without a picture
            pictures.append(("target, yours, difference", picture(target, yours, about)))
    return pictures
