"""Proving a grader: every wrong answer of a bank must fail it, and every right one must pass.

Each answer takes the place of its exercise's cell in the reference solution and is tried in a process of its own, two
at a time. The processes are forks of one that has everything loaded and the tests collected, so an answer costs what
its tests cost; where the system cannot fork (Windows, macOS) each one starts afresh. A wrong answer is killed when a
test of its exercise ends as *fail*, with the words that the answer asks for in the failing messages; what is left of
its tests does not run then. A crash, a hang or an unwritten answer is not a kill. A right answer passes when every test
of its exercise holds, and every test of the exercises that need it.
"""

import contextlib
import functools
import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection

from common.course.banks.answers import Answer
from common.course.base.paths import CourseError, Lab
from common.course.base.results import Result
from common.course.checking import loader, runner

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # Apple's frameworks do not survive a fork
JOBS = 2
TEST_SECONDS = 10  # what one test of one answer may take
ANSWER_SECONDS = 30  # what one answer may take in all, before its process is killed


@dataclass
class Verdict:
    """What became of one answer. `findings` are (status, test, message) of the tests that did not pass."""

    answer: Answer
    good: bool  # a wrong answer was killed, or a right one passed
    problem: str = ""  # why it is not good
    missing: list[str] = field(default_factory=list)  # words that no failing message has
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0


def prove(
    lab: Lab,
    bank: list[Answer],
    *,
    jobs: int = JOBS,
    answer_seconds: float = ANSWER_SECONDS,
    on_answer: Callable[[], object] = lambda: None,
) -> list[Verdict]:
    """Try every answer of one lab, and hand the verdicts back in the bank's order.

    Args:
        lab: the lab.
        bank: its answers.
        jobs: how many processes run side by side.
        answer_seconds: what one answer may take before its process is killed.
        on_answer: called after each answer that was tried.

    Raises:
        CourseError: the reference solution is not built, or does not pass its own grader.
    """
    cells = loader.read_cells(lab.notebook("solutions"))
    _warm_up(cells, lab)
    verdicts = []

    def work(tests: list[Result], run: Callable[..., list[Result]] | None) -> None:
        _freeze()
        [reference] = _run([_Trial(None, lab, cells, ())], run, 1, answer_seconds)
        _must_pass(lab, reference)
        _import(reference.imported)
        trials = []
        for answer in bank:
            if not answer.malformed:
                mine = _tests_of(answer, tests)
                others = tuple(test.test for test in tests if test not in mine)
                trials.append(_Trial(answer, lab, loader.replace_exercise(cells, answer.exercise, answer.code), others))

        tried = {}
        for trial in _run(trials, run, jobs, answer_seconds):
            tried[trial.answer] = trial
            on_answer()
        verdicts.extend(judge(answer, tried.get(answer)) for answer in bank)

    if CAN_FORK:
        runner.hold(lab, work)
    else:
        with _kept_bytecode():
            tests = runner.expected_tests(lab)
        work(tests, None)
    return verdicts


def _tests_of(answer: Answer, tests: list[Result]) -> list[Result]:
    """The tests that an answer has to stand: a right one also those of the exercises that need it."""
    meant = [test for test in tests if test.exercise == answer.exercise]
    if answer.kind == "right":
        needing = {test.exercise for test in tests if answer.exercise in test.needs}
        meant += [test for test in tests if test.exercise in needing and test not in meant]
    return meant


@dataclass
class _Trial:
    """One process: these cells against the lab's tests, less those left out. No answer: the reference itself."""

    answer: Answer | None
    lab: Lab
    cells: list[loader.Cell]
    left_out: tuple[str, ...]
    results: list[Result] = field(default_factory=list)
    broken: str = ""  # why there are no results
    imported: list[str] = field(default_factory=list)  # modules that were not loaded before
    seconds: float = 0.0


def judge(answer: Answer, trial: _Trial | None) -> Verdict:
    """What the trial says about the answer."""
    if trial is None:
        return Verdict(answer, good=False, problem=answer.malformed)
    verdict = Verdict(answer, good=False, problem=trial.broken, seconds=trial.seconds)
    verdict.findings = [(result.status, result.title, result.message) for result in trial.results if not result.ok]
    if trial.broken:
        return verdict
    if answer.kind == "right":
        verdict.good = not verdict.findings
        verdict.problem = "" if verdict.good else "a right answer was turned away"
        return verdict

    verdict.missing = _missing(answer.words, [message for status, _, message in verdict.findings if status == "fail"])
    statuses = sorted({status for status, _, _ in verdict.findings})
    if not statuses:
        verdict.problem = "every test passed"
    elif "fail" not in statuses:
        verdict.problem = f"no test ended as fail, only as {' and '.join(statuses)}"
    elif verdict.missing:
        verdict.problem = "no failing message says " + " or ".join(repr(words) for words in verdict.missing)
    verdict.good = not verdict.problem
    return verdict


def _missing(words: tuple[str, ...], messages: list[str]) -> list[str]:
    """Those words that none of the failing messages has."""
    failing = " ".join(plain(message) for message in messages)
    return [asked for asked in words if plain(asked) not in failing]


def _is_killed(words: tuple[str, ...], results: list[Result]) -> bool:
    failing = [result.message for result in results if result.status == "fail"]
    return bool(failing) and not _missing(words, failing)


def plain(text: str) -> str:
    """Text as messages are compared: in lower case, each run of blanks and line ends as one space."""
    return " ".join(text.casefold().split())


def _must_pass(lab: Lab, reference: _Trial) -> None:
    failed = [f"{r.status}: {r.title}\n    {r.message}" for r in reference.results if not r.ok]
    if reference.broken or failed or not reference.results:
        what = reference.broken or "\n".join(failed) or "it has no tests"
        raise CourseError(
            f"the reference solution of {lab.id} does not pass its own grader, so no answer can be judged:\n{what}"
        )


def _warm_up(cells: list[loader.Cell], lab: Lab) -> None:
    """Load in this process what every answer will need, once."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    torch.set_num_threads(1)  # a fork inherits no thread pool
    loader.load_cells(cells, lab.id)
    for name in loader.DEFERRED & sys.modules.keys():
        importlib.import_module(name)  # loads it in earnest; a second look at a deferred module would, in every child


def _import(names: list[str]) -> None:
    """Load here what the reference loaded along the way: else every child would, each for itself."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    _freeze()


def _freeze() -> None:
    """What is here now stays: without this each fork's garbage collector would copy all of it."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _kept_bytecode() -> Iterator[None]:
    """The grader is compiled here, and every child finds it compiled, whatever the environment says about bytecode."""
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        yield
    finally:
        sys.dont_write_bytecode = kept


def _run(trials: list[_Trial], run: Callable[..., list[Result]] | None, jobs: int, limit: float) -> Iterator[_Trial]:
    """Run trials in processes, `jobs` at a time; each comes back with its results, or with what broke it.

    `run` is what `runner.hold` gave; None where a process starts afresh and collects the tests itself.
    """
    context = multiprocessing.get_context("fork" if CAN_FORK else "spawn")
    waiting, running = deque(trials), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                trial = waiting.popleft()
                receiving, sending = context.Pipe(duplex=False)
                words = trial.answer.words if trial.answer and trial.answer.kind == "wrong" else None
                process = context.Process(
                    target=_try, args=(trial.lab, trial.cells, trial.left_out, words, run, sending), daemon=True
                )
                process.start()
                sending.close()
                running[receiving] = (trial, process, time.monotonic())
            soonest = min(started for _, _, started in running.values()) + limit
            for receiving in connection.wait(list(running), timeout=max(0.0, soonest - time.monotonic())):
                trial, process, started = running.pop(receiving)
                _collect(trial, receiving, process, started)
                yield trial
            for receiving in [r for r, (_, _, started) in running.items() if time.monotonic() - started >= limit]:
                trial, process, started = running.pop(receiving)
                _kill(process)
                trial.seconds, trial.broken = time.monotonic() - started, f"timeout: it was stopped after {limit:g} s"
                yield trial
    finally:
        for _, process, _ in running.values():
            _kill(process)


def _collect(trial: _Trial, receiving: connection.Connection, process, started: float) -> None:
    try:
        told = json.loads(receiving.recv_bytes())
        trial.results = [Result(**result) for result in told["results"]]
        trial.broken, trial.imported = told["broken"], told["imported"]
    except (EOFError, OSError):
        process.join(5)
        trial.broken = f"error: its process died (exit code {process.exitcode})"
    _kill(process)
    receiving.close()
    trial.seconds = time.monotonic() - started


def _kill(process) -> None:
    """End the process with whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.kill()
    process.join()


def _try(
    lab: Lab,
    cells: list[loader.Cell],
    left_out: tuple[str, ...],
    words: tuple[str, ...] | None,
    run: Callable[..., list[Result]] | None,
    sending,
) -> None:
    """In the child: run the tests and send what they found; a wrong answer's (`words` given) until it is killed."""
    if hasattr(os, "setsid"):
        os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    loaded = set(sys.modules)
    try:
        module = loader.load_cells(cells, lab.id)
        enough = None if words is None else functools.partial(_is_killed, words)
        run = run or functools.partial(runner.run_tests, lab)
        results = run(module=module, deselect=left_out, enough=enough, timeout=TEST_SECONDS)
        told = {
            "broken": "",
            "imported": sorted(sys.modules.keys() - loaded),
            "results": [{**vars(result), "pictures": []} for result in results],
        }
    except Exception as error:
        told = {"broken": f"error: {type(error).__name__}: {error}", "imported": [], "results": []}
    sending.send_bytes(json.dumps(told).encode())
    sending.close()
    os._exit(0)  # whatever the answer left behind, threads and exit hooks, ends here
