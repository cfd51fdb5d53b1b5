"""The parent's side of one worker: start it, read its events, stop what hangs, believe nothing that does not fit."""

import base64
import binascii
import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from common.course.base import fair_time
from common.course.base.results import STATUSES, Result
from common.course.grading.protocol import REDIRECTED, EventReader
from common.course.grading.worker import KEY_LENGTH, MAX_MESSAGE, MAX_PICTURE, MAX_PICTURES

STARTING = 90.0  # seconds until a worker has imported torch, on a machine that is busy with others
MAX_THREADS = 256  # of one submission: thousands would starve its neighbours
KEEP_ERRORS = 1 << 16  # bytes of standard error kept to explain a death; after that the pipe is closed
SIGNALS = {signal.SIGSEGV: "a segmentation fault", signal.SIGABRT: "an abort, as when memory runs out inside a library",
           signal.SIGFPE: "an arithmetic fault", signal.SIGBUS: "a bus error", signal.SIGILL: "an illegal instruction",
           signal.SIGXCPU: "too much processor time", signal.SIGKILL: "killed, as when memory runs out",
           signal.SIGXFSZ: "a file that grew too large", signal.SIGSYS: "a forbidden system call"}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one submission may take."""

    test: float = 20.0  # seconds of one test, and of the notebook's cells together
    memory: int = 4 << 30  # bytes
    wall: float = 180.0  # seconds of everything

    @property
    def grace(self) -> float:
        """Seconds that a worker has to stop a test by itself before it is killed."""
        return min(3.0, max(1.0, self.test / 2))


@dataclass
class Run:
    """What one worker process told, and how it ended."""

    tests: dict[str, Result]
    controls: dict = field(default_factory=dict)
    with_torch: bool = False
    confirmed: dict[str, Result] = field(default_factory=dict)  # with a right control after them
    waiting: dict[str, Result] = field(default_factory=dict)
    running: str | None = None
    phase: str = "starting"
    clock: Callable[[], float] = time.monotonic  # of the worker: it stands still while the machine is busy with others
    since: float = field(default_factory=time.monotonic)
    finished: bool = False
    doubts: bool = False  # a control test did not come out as it must
    broken: str = ""  # why nothing that this submission says counts
    began: bool = False  # the student's code was reached; until then whatever goes wrong is the machine's failure
    crowded: bool = False  # it ran too many threads
    notes: list[str] = field(default_factory=list)
    collected: list[Result] = field(default_factory=list)

    def take(self, kind: str, *fields) -> None:
        """One signed event."""
        handler = getattr(self, f"_on_{kind}", None)
        if handler is None:
            self._contradict(f"an unknown event {kind!r}")
            return
        try:
            handler(*fields)
        except (TypeError, ValueError):
            self._contradict(f"an event {kind!r} that makes no sense")

    def _enter(self, phase: str) -> None:
        self.phase, self.since = phase, self.clock()

    def _contradict(self, what: str) -> None:
        self.broken = self.broken or f"its results contradict each other ({what}), so none of them counts"

    def _on_ready(self):
        self._enter("idle")

    def _on_test(self, test, title, exercise, points, needs, hint):
        self.collected.append(
            Result(test, title, exercise, float(points), tuple(needs.split("\n")) if needs else (), hint)
        )

    def _on_load(self):
        self.began = True
        self._enter("load")

    def _on_loaded(self):
        self._enter("test" if self.running else "idle")

    def _on_start(self, test):
        told = test in self.confirmed or test in self.waiting
        if self.running or told or not (test in self.tests or test in self.controls):
            self._contradict("a test started that could not")
            return
        self.running = test
        self._enter("test")

    def _on_end(self, test, status, message, pictures):
        if test != self.running or status not in STATUSES or status == "blocked":
            self._contradict("a test ended that was not running")
            return
        seconds = self.clock() - self.since
        self.running = None
        self._enter("idle")
        if test in self.controls:
            self._control(test, status, message)
            return
        told = {
            "status": status,
            "message": plain_text(message)[:MAX_MESSAGE],
            "seconds": seconds,
            "pictures": _pngs(pictures),
        }
        self.waiting[test] = replace(self.tests[test], **told)

    def _control(self, test, status, message):
        """A pass counts once a control test after it came out right; what is no pass needs no witness."""
        if self.controls[test].answered(status, message, self.with_torch):
            self.confirmed |= self.waiting
            self.waiting = {}
        elif status == "pass":
            self.broken = self.broken or (
                "a control test among the others passed, and it cannot: the notebook changed the tools that tests rely "
                "on (comparisons, assertions), so nothing in it was counted"
            )
        else:
            self.doubts = True
        self.settle()

    def settle(self):
        """Take what needs no witness: every result that is no pass."""
        self.confirmed |= {name: result for name, result in self.waiting.items() if not result.ok}
        self.waiting = {name: result for name, result in self.waiting.items() if result.ok}

    def _on_tampered(self, words):
        self.broken = self.broken or (
            f"the notebook {plain_text(words)[:160]}, so nothing in it was counted. Take that out and hand it in again."
        )

    def _on_suspect(self, words):
        self.notes.append(f"a cell {plain_text(words)[:160]}")

    def _on_done(self):
        self.finished = True
        if self.running:
            self._contradict("the end came in the middle of a test")


@dataclass(frozen=True)
class Ending:
    """How a worker's process came to its end."""

    finished: bool
    hung: bool = False
    stopped: bool = False  # by us: time was up, or the instructor wanted to end
    why: str = ""


def supervise(command, job: dict, run: Run, limits: Limits, deadline: float, stop: threading.Event) -> Ending:
    """Start one worker and follow it to its end; its results are in `run`.

    Raises:
        OSError: no process could be started.
    """
    secret = secrets.token_bytes(KEY_LENGTH)
    with contextlib.ExitStack() as ours:
        with contextlib.ExitStack() as given:  # what the worker has, and we need no more
            given.callback(command.close)
            events, events_in = _pipe(ours, given)
            errors, errors_in = _pipe(ours, given)
            process = subprocess.Popen(
                command.argv,
                env=command.environment,
                cwd=command.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors_in,
                pass_fds=(events_in, *command.descriptors),
                start_new_session=True,
            )
        ours.callback(_kill, process)
        reader, tail = EventReader(secret), _Tail(errors)
        with contextlib.suppress(BrokenPipeError):  # it died at once; what it said on standard error tells why
            process.stdin.write(secret + json.dumps(job | {"events": events_in}).encode())
            process.stdin.close()
        run.clock = fair_time.ClockOf(process.pid)
        run.since = run.clock()
        hung, stopped = _follow(process.pid, events, tail, reader, run, limits, deadline, stop)
        ending = _end(process, run, reader, tail, hung, stopped, limits)
    run.notes += reader.notes
    return ending


def _pipe(ours: contextlib.ExitStack, given: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe from a worker to us; each end is closed with its own stack."""
    end, begin = os.pipe()
    ours.callback(os.close, end)
    given.callback(os.close, begin)
    return end, begin


def _follow(
    pid: int, events: int, tail: "_Tail", reader, run: Run, limits: Limits, deadline: float, stop
) -> tuple[bool, bool]:
    """Read events until the worker is done, gone, too late or not to be believed. Returns (hung, stopped)."""
    with selectors.DefaultSelector() as selector:
        selector.register(events, selectors.EVENT_READ)
        selector.register(tail.descriptor, selectors.EVENT_READ)
        while not run.finished and not run.broken and not reader.flooded:
            left = min(_time_left(run, limits), deadline - run.clock())
            if left <= 0 or stop.is_set():
                return left <= 0, True
            if num_threads(pid) > MAX_THREADS:
                run.crowded = True
                return False, True
            for key, _ in selector.select(min(left, 0.25)):
                if key.fd == tail.descriptor:
                    if not tail.read():
                        selector.unregister(key.fd)
                    continue
                chunk = os.read(events, 1 << 16)
                if not chunk:
                    return False, False
                for event in reader.feed(chunk):
                    run.take(*event)
    return False, False


def num_threads(pid: int) -> int:
    """The threads of a process and all its descendants; 0 where the system does not tell (macOS)."""
    total, waiting = 0, [pid]
    while waiting and total <= MAX_THREADS:
        task = f"/proc/{waiting.pop()}/task"
        try:
            threads = os.listdir(task)
            children = [_read_text(f"{task}/{thread}/children") for thread in threads[: MAX_THREADS + 1]]
        except OSError:
            continue
        total += len(threads)
        waiting += [int(child) for text in children for child in text.split()]
    return total


def _read_text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _time_left(run: Run, limits: Limits) -> float:
    allowed = {"starting": STARTING, "load": limits.test + limits.grace, "test": 2 * limits.test + limits.grace}
    if run.phase == "test":
        allowed["test"] = limits.test + limits.grace
    return allowed.get(run.phase, limits.test + limits.grace) - (run.clock() - run.since)


def _end(process, run: Run, reader, tail: "_Tail", hung: bool, stopped: bool, limits: Limits) -> Ending:
    if run.finished or run.broken:
        return Ending(run.finished)
    if reader.flooded:
        return Ending(False, why="the notebook flooded the channel for results")
    if run.crowded:
        return Ending(False, stopped=True, why=f"more than {MAX_THREADS} threads were running: it was stopped")
    if stopped:
        return Ending(
            False, hung, True, f"did not end within {limits.test:g} s, not even when told to: is there an endless loop?"
        )
    try:
        code = process.wait(2)
    except subprocess.TimeoutExpired:
        return Ending(False, why="the notebook closed the channel for results")
    return Ending(False, why=_death(code, tail.last_line()))


def _death(code: int, last_words: str) -> str:
    """How a process died, in words. bubblewrap reports a signal as 128 + its number."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number in SIGNALS:
        return f"the process crashed: {SIGNALS[number]}"
    if code == REDIRECTED:
        return "the notebook closed or redirected the channel for results"
    if code == 0:
        return "the notebook ended the process, and with it the test"
    return f"the process ended with exit code {code}" + (f": {last_words}" if last_words else "")


def _kill(process) -> None:
    """The whole sandbox: its first process dies with this one, and the kernel ends all others with that."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Tail:
    """The first part of a worker's standard error. Read on the side, so that a talkative library never blocks."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._kept = b""

    def read(self) -> bool:
        """Take what is there. False when nothing more will be read."""
        chunk = os.read(self.descriptor, 1 << 14)
        self._kept = (self._kept + chunk)[-KEEP_ERRORS:]
        return bool(chunk)

    def last_line(self) -> str:
        os.set_blocking(self.descriptor, False)
        try:
            while self.read():
                pass
        except BlockingIOError:
            pass
        lines = self._kept.decode(errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else ""


def _pngs(pictures) -> list[tuple[str, str]]:
    """The pictures that are what they should be; a label is text, and text is escaped where it is shown."""
    kept = []
    for label, data in pictures[:MAX_PICTURES]:
        try:
            image = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(data) <= MAX_PICTURE and image.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
            kept.append((plain_text(label)[:200], data))
    return kept


def plain_text(text) -> str:
    """Text from a worker without what terminals, files and parsers stumble over."""
    whole = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in whole)
