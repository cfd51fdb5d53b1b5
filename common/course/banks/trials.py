"""Trials: cells run against a lab's tests, each trial in a process of its own, two at a time.

The processes are forks of one that has everything loaded and the tests collected, so a trial costs what its tests cost.
Where the system cannot fork (Windows, macOS) each one starts afresh. A process that crashes or hangs takes nothing with
it: the trial says what broke it.
"""

import contextlib
import functools
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
from common.course.banks.verdicts import is_killed
from common.course.base.paths import Lab
from common.course.base.results import Result
from common.course.checking import loader, runner

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # Apple's frameworks do not survive a fork
TEST_SECONDS = 10  # what one test of one answer may take

Run = Callable[..., list[Result]]  # what `runner.hold` gives


@dataclass
class Trial:
    """Cells, the tests that they leave out, and what came of it. No answers: the reference itself."""

    answers: tuple[Answer, ...]
    cells: list[loader.Cell]
    left_out: tuple[str, ...]
    results: list[Result] = field(default_factory=list)
    broken: str = ""  # why there are no results
    imported: list[str] = field(default_factory=list)  # modules that were not loaded before
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.broken and all(result.ok for result in self.results)

    @property
    def words(self) -> tuple[str, ...] | None:
        """What must be in the failing messages before the run may stop; None where every test runs."""
        return self.answers[0].words if self.answers and self.answers[0].kind == "wrong" else None


@dataclass(frozen=True)
class Bench:
    """Where trials run: the lab, and how.

    Attributes:
        lab: the lab whose tests run.
        run: what `runner.hold` gave; None where a process starts afresh and collects the tests itself.
        jobs: how many processes run side by side.
        limit: seconds that one trial may take before its process is killed.
        seed: the `seed` fixture and the start of every random generator.
        order: the tests by what they cost; the cheap ones run first. Tests without a cost come before all others.
    """

    lab: Lab
    run: Run | None
    jobs: int
    limit: float
    seed: int = 0
    order: dict[str, float] = field(default_factory=dict)

    def try_all(self, trials: list[Trial]) -> Iterator[Trial]:
        """Run the trials; each one comes back, as soon as it ends, with its results or with what broke it."""
        waiting, running = deque(trials), {}
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    process = _Process(self, waiting.popleft())
                    running[process.receiving] = process
                yield from self._ended(running)
        finally:
            for process in running.values():
                process.kill()

    def _ended(self, running: dict) -> Iterator[Trial]:
        """Wait for a process to send or to run out of time; those leave `running`."""
        soonest = min(process.started for process in running.values()) + self.limit
        for receiving in connection.wait(list(running), timeout=max(0.0, soonest - time.monotonic())):
            yield running.pop(receiving).collect()
        late = [key for key, process in running.items() if process.age >= self.limit]
        for receiving in late:
            yield running.pop(receiving).stop(f"timeout: it was stopped after {self.limit:g} s")


class _Process:
    """The process of one trial, seen from outside."""

    def __init__(self, bench: Bench, trial: Trial):
        context = multiprocessing.get_context("fork" if CAN_FORK else "spawn")
        self.trial, self.started = trial, time.monotonic()
        self.receiving, sending = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(bench, trial, sending), daemon=True)
        self.process.start()
        sending.close()

    @property
    def age(self) -> float:
        return time.monotonic() - self.started

    def collect(self) -> Trial:
        """The trial with what its process sent; one that died sent nothing."""
        broken = ""
        try:
            told = json.loads(self.receiving.recv_bytes())
            self.trial.results = [Result(**result) for result in told["results"]]
            self.trial.imported, broken = told["imported"], told["broken"]
        except (EOFError, OSError):
            self.process.join(5)
            broken = f"error: its process died (exit code {self.process.exitcode})"
        return self.stop(broken)

    def stop(self, broken: str) -> Trial:
        """The trial, its process ended."""
        self.kill()
        self.trial.broken, self.trial.seconds = broken, self.age
        return self.trial

    def kill(self) -> None:
        """End the process with whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self.process.kill()
        self.process.kill()
        self.process.join()
        self.receiving.close()


def _work(bench: Bench, trial: Trial, sending) -> None:
    """In the child: run the tests and send what they found."""
    if hasattr(os, "setsid"):
        os.setsid()
    _be_silent()
    loaded = set(sys.modules)
    told = {"broken": "", "imported": [], "results": []}
    try:
        results = _run_tests(bench, trial)
        told["results"] = [{**vars(result), "pictures": []} for result in results]
        told["imported"] = sorted(sys.modules.keys() - loaded)
    except Exception as error:
        told["broken"] = f"error: {type(error).__name__}: {error}"
    sending.send_bytes(json.dumps(told).encode())
    sending.close()
    os._exit(0)  # whatever the answer left behind, threads and exit hooks, ends here


def _run_tests(bench: Bench, trial: Trial) -> list[Result]:
    """The results of the trial's tests; those of a wrong answer end once it is killed."""
    module = loader.load_cells(trial.cells, bench.lab.id)
    enough = None if trial.words is None else functools.partial(is_killed, trial.words)
    options = {"module": module, "deselect": trial.left_out, "enough": enough, "seed": bench.seed}
    if bench.run is None:
        return runner.run_tests(bench.lab, timeout=TEST_SECONDS, **options)
    return bench.run(order=bench.order, timeout=TEST_SECONDS, **options)


def _be_silent() -> None:
    """Whatever the answer prints goes nowhere."""
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
