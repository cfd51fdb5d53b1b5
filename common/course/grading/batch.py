"""Grade many submissions, some at a time, each in workers of its own."""

import contextlib
import os
import shutil
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from common import files
from common.course.base.paths import CourseError, Lab
from common.course.base.results import Result, score
from common.course.checking import runner
from common.course.grading.stage import Stage, add_controls, build, needs_torch
from common.course.grading.submissions import Submission, sanitized, short_notes
from common.course.grading.supervise import Ending, Limits, Run, supervise

MAX_RESTARTS = 12  # after so many crashes the rest of a submission is not tried
SCRATCH, ABANDONED_SECONDS = "flipbook-grade-", 24 * 3600.0
MAX_STARTS = 3  # of a worker that ends before any student code runs


class WorkerDidNotStart(Exception):
    """The machine's failure, never a student's."""


@dataclass
class Row:
    """One line of the grade book."""

    submission: Submission
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failure: str = ""  # ours, because of which there is no grade: no points are said to be lost

    @property
    def points(self) -> tuple[float, float]:
        return score(self.results)

    @property
    def problem(self) -> str:
        """Why there is no grade, in words for the student; empty where there is one."""
        ours = f"grading failed, which is no fault of yours; it will be graded again ({self.failure})"
        return self.submission.problem or (ours if self.failure else "")


@dataclass
class Batch:
    """One call of `grade`: what all submissions share."""

    sandbox: object
    limits: Limits
    seed: int
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    stages: dict[Lab, Stage] = field(default_factory=dict)
    tests: dict[Lab, list[Result]] = field(default_factory=dict)

    def prepare(self, lab: Lab) -> None:
        """Make the lab's stage, and ask a worker with no student code which tests there are."""
        folder = self.folder / lab.id
        folder.mkdir()
        self.stages[lab] = build(lab, folder, link_data=not self.sandbox.safe)
        for attempt in range(MAX_STARTS):
            run = Run({})
            ending = self._work(lab, None, run, {}, time.monotonic() + self.limits.wall)
            if (ending.finished and run.collected) or self.stop.is_set():
                break
            time.sleep(attempt)
        self.tests[lab] = run.collected
        if not ending.finished or not run.collected:
            why = ending.why or "it has none"
            raise CourseError(f"the tests of lab {lab.id} could not be collected in the sandbox: {why}.")
        add_controls(self.stages[lab], run.collected)

    def grade(self, submission: Submission) -> Row:
        """One submission, to the end: a worker, and another for the rest after each crash."""
        row = Row(submission, notes=short_notes(submission.notes))
        if not submission.gradable:
            row.notes.insert(0, submission.problem)
            row.results = [_ungraded(test, submission.problem) for test in self.tests.get(submission.lab, [])]
            return row
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            notebook = Path(folder, "submission.ipynb")
            notebook.write_text(sanitized(submission, self.stages[submission.lab].exercises), encoding="utf-8")
            notebook.chmod(0o644)
            cells = [cell["source"] for cell in submission.cells]
            with_torch = self.stages[submission.lab].with_torch or needs_torch(cells)
            try:
                row.results, notes = self._results(submission.lab, notebook, with_torch, started + self.limits.wall)
            except WorkerDidNotStart as error:
                return _not_graded(row, str(error))
        row.notes = short_notes([*row.notes, *notes])
        row.seconds = time.monotonic() - started
        return row

    def _results(self, lab: Lab, notebook: Path, with_torch: bool, deadline: float) -> tuple[list[Result], list[str]]:
        tests = {test.test: test for test in self.tests[lab]}
        done: dict[str, Result] = {}
        notes: list[str] = []
        for _ in range(MAX_RESTARTS):
            run, ending = self._started(lab, notebook, tests, with_torch, done, deadline)
            notes += run.notes
            if run.broken:
                return [_ungraded(test, run.broken) for test in tests.values()], [run.broken, *notes]
            run.settle()
            done |= run.confirmed
            left = [name for name in tests if name not in done]
            if ending.finished and not left:
                break
            if not self._charge(run, ending, tests, done, notes) or len(done) == len(tests):
                break
            if time.monotonic() > deadline or self.stop.is_set():
                notes.append(f"stopped after {self.limits.wall:g} s in all")
                break
        why = notes[-1] if notes else "this test gave no result"
        results = [done.get(name) or _ungraded(test, f"not graded: {why}") for name, test in tests.items()]
        runner.settle_blocked(results)
        return results, notes

    def _started(self, lab: Lab, notebook: Path, tests: dict, with_torch: bool, done: dict, deadline: float):
        """A worker that came as far as the student's code, as (run, ending).

        One that did not is our failure, and is tried again.

        Raises:
            WorkerDidNotStart: each time.
        """
        for attempt in range(MAX_STARTS):
            run = Run(tests, self.stages[lab].controls, with_torch)
            ending = self._work(lab, notebook, run, done, deadline)
            if run.began or run.finished or run.broken or self.stop.is_set():
                return run, ending
            time.sleep(attempt)
            deadline = time.monotonic() + self.limits.wall
        raise WorkerDidNotStart(
            f"the worker did not start in {MAX_STARTS} tries ({ending.why or 'no reason was given'})"
        )

    def _charge(self, run: Run, ending: Ending, tests: dict, done: dict, notes: list[str]) -> bool:
        """Write the crash down where it belongs. False when another try would end the same way."""
        status = "timeout" if ending.hung else "error"
        if run.running in tests and run.phase == "test":
            done[run.running] = replace(tests[run.running], status=status, message=ending.why)
            notes.append(f"{run.running}: {ending.why}")
            return True
        if run.phase == "load":
            why = ending.why.replace("did not end", "running the notebook's cells did not end")
            for name, test in tests.items():
                done.setdefault(name, replace(test, status=status, message=why))
            notes.append(f"while the notebook's cells ran: {ending.why}")
            return False
        if run.running:  # a control test: what came before it is not confirmed
            notes.append(f"between two tests: {ending.why}")
            return bool(run.confirmed)
        doubts = "control tests did not come out as they must, so passes after which they did not are not counted"
        notes.append(ending.why or (doubts if run.doubts else "the worker ended before its tests did"))
        return bool(run.confirmed) and not ending.finished

    def _work(self, lab: Lab, notebook: Path | None, run: Run, done: dict, deadline: float) -> Ending:
        try:
            command = self.sandbox.command(self.stages[lab].folder, notebook)
        except OSError as error:
            return Ending(False, why=files.reason(error))
        job = {
            "root": command.root,
            "phase": lab.phase,
            "stem": lab.stem,
            "submission": command.submission,
            "done": sorted(done),
            "timeout": self.limits.test,
            "seed": self.seed,
            "torch": run.with_torch,
            "memory": self.limits.memory,
            "cpu": int(self.limits.wall) + 30,
            "processes": None if self.sandbox.filter else 512,
        }
        try:
            return supervise(command, job, run, self.limits, deadline, self.stop)
        except OSError as error:  # no process, no descriptor, no room for one
            return Ending(False, why=files.reason(error))


def _not_graded(row: Row, why: str) -> Row:
    """The row of a submission that we failed: it says so first, and has no points."""
    row.failure = why
    row.notes = short_notes([f"not graded, and not the student's fault: {why}", *row.notes])
    return row


def _ungraded(test: Result, why: str) -> Result:
    return replace(test, status="error", message=why)


def grade_all(batch: Batch, submissions: list[Submission], jobs: int, on_row) -> tuple[list[Row], bool]:
    """Grade in parallel; `on_row(row)` after each. Ctrl-C ends early with what there is.

    Returns:
        The rows in the order of `submissions`, and whether all of them are there.
    """
    rows: dict[int, Row] = {}

    def one(number: int, submission: Submission) -> None:
        if batch.stop.is_set():
            return
        row = _never_failing(batch, submission)
        if not batch.stop.is_set():
            rows[number] = row
            on_row(row)

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, number, submission) for number, submission in enumerate(submissions)]
        try:
            wait(futures)
        except KeyboardInterrupt:
            batch.stop.set()
            for future in futures:
                future.cancel()
    return [rows[number] for number in sorted(rows)], len(rows) == len(submissions)


def _never_failing(batch: Batch, submission: Submission) -> Row:
    """A row in any case: what goes wrong with one submission must not end the batch."""
    try:
        return batch.grade(submission)
    except Exception as error:
        return _not_graded(Row(submission, notes=short_notes(submission.notes)), f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def temporary_folder():
    """Where stages and single notebooks are while a batch runs. Links inside it are dropped, not followed.

    It is locked as long as this process lives. Folders of `grade` runs that were killed are removed first.
    """
    sweep_abandoned()
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as folder, files.held(Path(folder)):
        yield Path(folder)


def sweep_abandoned() -> None:
    """Remove the scratch folders that killed runs left behind: ours, a day old, and held by no living process."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            about = folder.lstat()
            ours = stat.S_ISDIR(about.st_mode) and (os.name == "nt" or about.st_uid == os.geteuid())
            if ours and time.time() - about.st_mtime > ABANDONED_SECONDS:
                with files.held(folder) as free:
                    if free:
                        shutil.rmtree(folder, ignore_errors=True)
