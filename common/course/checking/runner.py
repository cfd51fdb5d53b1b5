"""`check("01.2", "even_indices")` in a notebook, and `run_tests`, on which every other way to check is built."""

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from common.course.base import paths
from common.course.base.guess import did_you_mean
from common.course.base.paths import CourseError, Lab
from common.course.base.results import Result, score
from common.course.checking import render, screen
from common.course.checking.explain import NOT_WRITTEN
from common.course.source import lab_source

# Everything that pytest does beside running tests costs time, or touches the kernel that it runs in.
LEFT_OUT = ("cacheprovider", "terminal", "faulthandler", "junitxml", "logging", "warnings", "doctest", "unittest")
LEFT_OUT += ("unraisableexception", "threadexception", "setuponly", "setupplan", "debugging")

NOTEBOOK_SECONDS = 10.0  # someone is waiting


class CheckFailed(AssertionError):
    """What a check cell raises under nbgrader and in CI when the answer is not right."""


class _Listener:
    """Hands the session to the plugin before it is configured, and keeps what pytest says about a broken grader."""

    def __init__(self, session):
        self.session, self.broken, self.interrupted = session, [], False

    def pytest_configure(self, config):
        from common.course import plugin

        config.stash[plugin.SESSION] = self.session
        config.option.tbstyle = "value"  # no one reads pytest's own tracebacks here, and they are slow to write

    def pytest_collectreport(self, report):
        if report.failed:
            self.broken.append(str(report.longrepr))

    def pytest_keyboard_interrupt(self, excinfo):
        self.interrupted = excinfo.type is KeyboardInterrupt  # pytest has subclasses for its own ends

    def pytest_internalerror(self, excrepr):
        self.broken.append(str(excrepr))


class _Holder:
    """Stands where pytest would run the tests it has collected, and has something else done instead."""

    def __init__(self, lab: Lab, work):
        self.lab, self.work, self.raised = lab, work, None

    def pytest_runtestloop(self, session):
        from common.course import plugin
        from common.course.checking import off_limits

        held = session.config.stash[plugin.SESSION]

        def run(*, module, deselect=(), enough=None, order=None, timeout: float = 20.0, seed=0) -> list[Result]:
            held.module, held.deselect, held.enough = module, frozenset(deselect), enough
            held.timeout, held.seed = timeout, seed
            asked = [(plugin.blank_result(item).test, item) for item in session.items]
            asked = [(test, item) for test, item in asked if test not in held.deselect]
            asked.sort(key=lambda pair: (order or {}).get(pair[0], 0.0))  # stable: ties keep the order of the file
            session.items[:] = [item for _, item in asked]
            loop = session.config.pluginmanager.subset_hook_caller("pytest_runtestloop", [self])
            with contextlib.suppress(session.Interrupted):  # enough is known
                loop(session=session)
            results = _complete(held, None, held.deselect)
            settle_blocked(results)
            return results

        try:
            with off_limits.AnswerKey(plugin.parts_for(held, self.lab)):
                pass  # each fork finds the refusals compiled
            self.work(held.collected, run)
        except BaseException as error:
            self.raised = error  # pytest would make a report of it
        return True


def hold(lab: Lab, work: Callable[[list[Result], Callable[..., list[Result]]], object]) -> None:
    """Collect a lab's tests, then call `work(collected, run)` with everything loaded that they need.

    `run(module=…, deselect=…, enough=…, timeout=…, seed=…)` is `run_tests` on a loaded module, less what is already
    done. Where `order` gives a test a number, tests run in the order of these numbers. It uses the collected tests up:
    call it once, in a fork of this process.

    Raises:
        CourseError: the grader does not run.
        BaseException: whatever `work` raised.
    """
    from common.course.checking import guards

    holder = _Holder(lab, work)
    with guards.preserved_state():
        _run(lab, {}, plugins=(holder,))
    if holder.raised is not None:
        raise holder.raised


def run_tests(
    lab: Lab,
    exercises=None,
    *,
    namespace: dict | None = None,
    submission=None,
    module=None,
    listener=None,
    deselect=(),
    enough=None,
    proof=None,
    timeout: float = 20.0,
    seed: int = 0,
) -> list[Result]:
    """Run a lab's tests on a live namespace, a notebook file or a loaded module; the first given one counts.

    Args:
        lab: the lab; its grader is `lab.tests`.
        exercises: names of the exercises whose tests run; None for all.
        namespace: globals of a running kernel.
        submission: path of a notebook. With none of the three, the learner's notebook in `work/`.
        module: what `loader.load` or `loader.load_cells` gave.
        listener: called as `listener("start", result)` and `listener("end", result)` around each test. What it hears
            is not yet settled: call `settle_blocked` on the whole list.
        deselect: test names (`Result.test`) to leave out.
        enough: called with the results so far after each test; where it returns True, the tests that are left do not
            run, and no pictures are drawn.
        proof: called as `proof(item, module)`, with pytest's item and the learner's module, when a test has passed.
        timeout: seconds that one test may take, and the notebook's exercise cells together.
        seed: the `seed` fixture and the start of every random generator.

    Returns:
        One result per test, in the order of the file, with blocked ones marked.

    Raises:
        CourseError: no such notebook, no such exercise, or the grader itself does not run.
    """
    from common.course.checking import guards, loader

    if namespace is None and module is None:
        submission = str(submission or lab.notebook("work"))
        loader.read_cells(submission)  # a file that is no notebook is said here, in one clean line
    names = {exercises} if isinstance(exercises, str) else None if exercises is None else set(exercises)
    options = {"namespace": namespace, "submission": submission, "module": module, "timeout": timeout, "seed": seed}
    options |= {"enough": enough, "proof": proof}
    with guards.preserved_state():
        session = _run(lab, dict(options, exercises=names, listener=listener, deselect=frozenset(deselect)))
        if names:
            _require_known(lab, names, session.collected)
        around = _unknown_needs(session.results, names)
        if around:  # did what a failing exercise builds on pass?
            done = frozenset(r.test for r in session.results)
            extra = _run(lab, dict(options, exercises=around, deselect=done, modules=session.modules)).results
        else:
            extra = []
    results = _complete(session, names, deselect)
    settle_blocked(results + extra)
    return results


def expected_tests(lab: Lab) -> list[Result]:
    """The tests of a lab as blank results, from the grader alone, with no learner's code around."""
    from common.course.checking import guards

    with guards.preserved_state():
        return _run(lab, {}, "--collect-only").collected


def settle_blocked(results: list[Result]) -> None:
    """Mark as *blocked* what did not pass while an exercise that it needs does not pass either.

    An exercise that is itself not written yet stays *todo*: that says more.
    """
    unfinished = {r.exercise for r in results if not r.ok}
    for result in results:
        missing = [name for name in result.needs if name in unfinished]
        if not result.ok and missing and result.message != NOT_WRITTEN:
            result.status, result.message, result.pictures = "blocked", f"finish `{missing[0]}` first", []


def _run(lab: Lab, options: dict, *more: str, plugins=()):
    """One run of pytest in this process."""
    import pytest

    from common.course import plugin
    from common.course.checking import guards

    if not lab.tests.exists():
        raise CourseError(f"lab {lab.id} has no grader: {lab.tests} is missing")
    session = plugin.Session(**options)
    listener = _Listener(session)
    arguments = [str(lab.tests), "--rootdir", str(paths.root()), "-c", os.devnull, "--import-mode=importlib", *more]
    arguments += [f"--confcutdir={lab.tests.parent}"]  # else pytest lists every folder above it, up to the disk's root
    arguments += ["--noconftest", "--assert=plain", "--capture=no", "--disable-plugin-autoload"]
    arguments += [word for name in LEFT_OUT for word in ("-p", f"no:{name}")]
    outer = {name: value for name, value in os.environ.items() if name.startswith("PYTEST_")}
    for name in outer:
        del os.environ[name]
    said = guards.Printed()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = int(pytest.main(arguments, plugins=[*plugins, plugin, listener]))
    finally:
        os.environ.update(outer)
        _forget_grader(lab)
    if listener.interrupted:
        raise KeyboardInterrupt
    if listener.broken or code not in (0, 1, 2, 5):
        reason = listener.broken[0] if listener.broken else f"pytest stopped with exit code {code}\n{said.getvalue()}"
        raise CourseError(f"the grader of lab {lab.id} does not run:\n{reason[-2000:]}")
    return session


def _forget_grader(lab: Lab) -> None:
    """An edited grader is read again, without a restart."""
    stem = lab.tests.stem  # once: it looks at the disk
    for name in [name for name in sys.modules if name.rpartition(".")[2] == stem]:
        del sys.modules[name]


def _require_known(lab: Lab, names: set, collected: list[Result]) -> None:
    known = list(dict.fromkeys(r.exercise for r in collected))
    unknown = sorted(names - set(known))
    if unknown:
        guess = did_you_mean(unknown[0], known)
        raise CourseError(
            f"lab {lab.id} has no exercise {unknown[0]!r}.{guess} Its exercises are: {', '.join(known) or 'none'}."
        )


def _unknown_needs(results: list[Result], names: set | None) -> set:
    """Exercises that some unfinished result needs and that were not asked for."""
    return {need for r in results if not r.ok for need in r.needs} - (names or set()) if names else set()


def _complete(session, names: set | None, deselect) -> list[Result]:
    """Every test that was to run has a result; an answer that ended the run early gains nothing by it."""
    found = {r.test: r for r in session.results}
    for blank in [] if session.stopped else session.collected:
        if (names is None or blank.exercise in names) and blank.test not in deselect and blank.test not in found:
            blank.status, blank.message = "error", "the run was stopped before this test ended"
            found[blank.test] = blank
    return [found[r.test] for r in session.collected if r.test in found]


@dataclass(repr=False)
class Outcome:
    """What a check found; a notebook shows it as static HTML."""

    lab: Lab
    results: list[Result]
    exercise: str | None = None

    @property
    def ok(self) -> bool:
        return bool(self.results) and all(r.ok for r in self.results)

    @property
    def earned(self) -> float:
        return score(self.results)[0]

    def __repr__(self) -> str:
        return render.as_text(self.lab, self.results, next_step=self.next_step)

    def _repr_html_(self) -> str:
        return render.as_html(self.lab, self.results, next_step=self.next_step, library=self.library)

    @property
    def library(self) -> tuple[str, str] | None:
        """Name and text of the library's own version of a passed exercise, to compare with."""
        return library_version(self.lab, self.exercise) if self.ok and self.exercise else None

    @property
    def next_step(self) -> str:
        return next_step(self.lab, self.exercise) if self.ok else ""


@dataclass(repr=False)
class Unrun:
    """Said instead of a verdict: what is on the screen is not what was run."""

    exercise: str
    ok = False

    def __repr__(self) -> str:
        return f"You changed the cell of `{self.exercise}` since you ran it. Run it first, then this check."

    def _repr_html_(self) -> str:
        return render.note(repr(self))


def check(lab_id: str, exercise: str | None = None, namespace: dict | None = None):
    """Test one exercise (or the whole lab) on what this notebook defines now."""
    lab, exercise = lab_source.find(lab_id, exercise)
    if namespace is None:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        namespace = shell.user_ns if shell else sys._getframe(1).f_globals
        if exercise and shell and screen.changed_since_run(exercise, shell):
            return Unrun(exercise)
    outcome = Outcome(lab, run_tests(lab, exercise, namespace=namespace, timeout=NOTEBOOK_SECONDS), exercise)
    grading = os.environ.get("NBGRADER_EXECUTION")
    if grading or os.environ.get("FLIPBOOK_STRICT"):
        return _strict(outcome, grading)
    remember(lab, outcome.results)
    return outcome


def _strict(outcome: Outcome, grading: str | None):
    """nbgrader reads a number as partial credit and an exception as none; CI wants an exception."""
    if grading == "autograde" and outcome.earned:
        return float(outcome.earned)
    if not outcome.ok:
        raise CheckFailed(repr(outcome))
    return outcome


def remember(lab: Lab, results: list[Result]) -> None:
    """Keep progress. Not being able to is no reason to fail a check."""
    with contextlib.suppress(Exception):
        from common.course.learner import progress

        progress.record(lab, results)


def library_version(lab: Lab, exercise: str) -> tuple[str, str] | None:
    """Name and text of the library part that answers an exercise; None where the answer is no part of the library."""
    from common.course.source import answer_key

    with contextlib.suppress(Exception):
        asked = next(e for e in lab_source.exercises(lab) if e.name == exercise)
        if asked.library:
            return asked.library.replace(":", "."), answer_key.cut(asked).text
    return None


def next_step(lab: Lab, exercise: str | None) -> str:
    """What comes after a passed exercise or a passed lab, in one line."""
    from common.course.source import syllabus

    with contextlib.suppress(Exception):
        names = [e.name for e in lab_source.exercises(lab)]
        if exercise in names[:-1]:
            number = names.index(exercise) + 1
            return f"Exercise {number} of {len(names)} is done. Next: `{names[number]}`."
        if exercise is not None:
            return f"All {len(names)} exercises pass. Run the rest of the notebook to see what your parts do together."
        labs = paths.all_labs()
        if lab in labs[:-1]:
            following = labs[labs.index(lab) + 1]
            return f"Next: lab {following.id}, {syllabus.title(following)} (`flipbook start {following.id}`)."
    return ""
