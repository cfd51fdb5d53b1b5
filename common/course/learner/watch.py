"""Check a notebook each time it is saved.

One process keeps torch and pytest loaded and forks for each save, so an answer comes in about the time that its tests
take, and whatever the answer does to its process is gone with it. Where there is no fork, the check runs in here.
"""

import contextlib
import gc
import os
import signal
import sys
import time
from pathlib import Path

from common.course.base import paths
from common.course.base.results import score
from common.course.checking import render, runner
from common.course.source import lab_source

CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # Apple's frameworks do not survive a fork
QUIET_MS, AT_MOST_MS = 60, 300  # an editor saves in several steps: wait for this much quiet, and never longer than that


def watch(folder: Path | None = None, stop_event=None, say=print) -> None:
    """Watch the notebooks under `folder` (default: `work/`) until Ctrl-C, or until `stop_event` is set."""
    folder = folder or paths.root() / "work"
    import watchfiles  # after the course is found: outside of it, that is what is wrong

    folder.mkdir(parents=True, exist_ok=True)
    warm_up()
    say(f"watching {folder}: save a notebook to have it checked, Ctrl-C ends")
    checker = Checker(say)
    try:
        changes = watchfiles.watch(
            folder,
            watch_filter=is_notebook,
            debounce=AT_MOST_MS,
            step=QUIET_MS,
            rust_timeout=500,
            yield_on_timeout=True,
            raise_interrupt=True,
            stop_event=stop_event,
        )
        for batch in changes:
            checker.reap()  # every half second at least
            for path in sorted({Path(name) for _, name in batch}):
                checker.saved(path)
        checker.wait()
    except KeyboardInterrupt:
        checker.stop()
        say("\nstopped watching")


def is_notebook(_change, path: str) -> bool:
    """Whether a changed file is a learner's notebook, and not an editor's checkpoint or half of a save."""
    file = Path(path)
    inside = file.parts[-file.parts[::-1].index("work") :] if "work" in file.parts else file.parts[-2:]
    return file.suffix == ".ipynb" and not any(part.startswith(".") for part in inside)


def warm_up() -> None:
    """Load once what every check needs; freeze it, so that a child's clean-up does not copy these pages."""
    import pytest  # noqa: F401
    import torch  # noqa: F401

    from common.course import plugin  # noqa: F401
    from common.course.checking import loader, off_limits  # noqa: F401
    from common.course.learner import progress  # noqa: F401

    with contextlib.suppress(Exception):
        for lab in paths.all_labs():
            runner.expected_tests(lab)  # compiles the graders and loads what they import
            for part in off_limits.parts_of(lab):
                part.find()
    gc.collect()
    gc.freeze()


class Checker:
    """Runs one check at a time; a newer save of the same notebook replaces the one that still runs."""

    def __init__(self, say=print):
        self.say = say
        self.children: dict[Path, int] = {}  # notebook -> process that checks it
        self.seen: dict[Path, tuple] = {}

    def saved(self, path: Path) -> None:
        """Check a notebook, unless this very state of the file was checked already."""
        try:
            status = path.stat()
        except OSError:  # removed, or between the two steps of a save: the second step is an event too
            return
        state = (status.st_mtime_ns, status.st_size)
        if self.seen.get(path) == state:
            return
        self.seen[path] = state
        try:
            lab = lab_source.find_lab(str(path))
        except paths.CourseError:
            return  # someone's own notebook
        if not CAN_FORK:
            self.say(verdict(lab, path))
            return
        self._end(self.children.pop(path, None))
        self.children[path] = self._fork(lab, path)

    def _fork(self, lab, path: Path) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self.say(verdict(lab, path))
            sys.stdout.flush()
            code = 0
        finally:
            os._exit(code)

    def reap(self, how: int = getattr(os, "WNOHANG", 0)) -> None:
        """Take note of the children that have ended, and of those that did not come to a verdict."""
        for path, child in list(self.children.items()):
            ended, status = os.waitpid(child, how)
            if ended:
                del self.children[path]
                if status:
                    self.say(f"\n{path.name}: the process that checked it ended before its verdict")

    def wait(self) -> None:
        self.reap(0)

    def stop(self) -> None:
        for child in self.children.values():
            self._end(child)
        self.children.clear()

    def _end(self, child: int | None) -> None:
        if child is not None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def verdict(lab: paths.Lab, path: Path) -> str:
    """What to say about a saved notebook: lab, score, and the first problem. Keeps progress."""
    began = time.monotonic()
    try:
        results = runner.run_tests(lab, submission=path)
    except paths.CourseError as exc:
        return f"\n{path.name}: {exc}"
    except Exception as exc:  # the watcher outlives whatever a notebook does
        return f"\n{path.name}: the check itself failed ({type(exc).__name__}: {exc})"
    runner.remember(lab, results)
    colour = sys.stdout.isatty()
    lines = ["", f"{time.strftime('%H:%M:%S')}  {path.name}  ({time.monotonic() - began:.1f} s)"]
    for exercise, group in render.by_exercise(results).items():
        earned, points = score(group)
        marks = " ".join(render.mark(result, colour) for result in group)
        lines.append(f"  {exercise:24} {earned:g}/{points:g}  {marks}")
    problem = render.first_problem(results)
    if problem is not None:
        lines.append(f"  {render.mark(problem, colour)} {problem.exercise}: {problem.title}")
        lines += ["      " + line for line in problem.message.splitlines()]
    lines.append(render.headline(lab, results))
    following = "" if problem else runner.next_step(lab, None)
    return "\n".join([*lines, *([following] if following else [])])
