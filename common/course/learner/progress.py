"""What a learner has done so far: one small JSON file, `work/.flipbook/progress.json`.

Two programs write it side by side (the notebook's kernel after each check, `flipbook watch` after each save), so every
change is read, made and written back under a lock, and the file is replaced in one step: a reader sees the old state or
the new one, never half of one.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from common.course.base import paths
from common.course.base.results import Result

try:
    import fcntl
except ImportError:  # Windows: the file is still replaced in one step, only two simultaneous checks could lose one
    fcntl = None

LOCK_SECONDS = 2.0  # how long a check may wait for another one to finish writing
# The first of these that occurs among an exercise's tests is the exercise's status; "pass" only when all pass.
STATUS_ORDER = ("error", "timeout", "fail", "blocked", "todo")


def now() -> str:
    """The local time as `2026-11-22T10:45:03`."""
    return datetime.now().isoformat(timespec="seconds")


def file() -> Path:
    return paths.state_dir() / "progress.json"


def empty() -> dict:
    return {"version": 1, "labs": {}}


def load() -> dict:
    """The whole record: `{"version": 1, "labs": {"01.2": {"exercises": {"even_indices": {...}}}}}`.

    A missing or damaged file reads as an empty record; `update` moves a damaged one aside before it writes.
    """
    try:
        data = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError, paths.CourseError):
        return empty()
    return data if is_record(data) else empty()


def is_record(data) -> bool:
    """Whether this is a progress record; a file edited by hand may be anything."""
    labs = data.get("labs") if isinstance(data, dict) else None
    return isinstance(labs, dict) and all(
        isinstance(lab, dict) and isinstance(lab.get("exercises", {}), dict) for lab in labs.values()
    )


def lab_record(data: dict, lab_id: str) -> dict:
    """The part of `data` that belongs to one lab, made when it is not there."""
    record = data["labs"].setdefault(lab_id, {})
    record.setdefault("exercises", {})
    return record


def exercise_record(data: dict, lab_id: str, exercise: str) -> dict:
    """The part of `data` that belongs to one exercise, made when it is not there."""
    return lab_record(data, lab_id)["exercises"].setdefault(exercise, {})


def exercise_of(data: dict, lab_id: str, exercise: str) -> dict:
    """What `data` says of one exercise; empty when it was never checked."""
    return data["labs"].get(lab_id, {}).get("exercises", {}).get(exercise, {})


def update(change: Callable[[dict], object]) -> dict:
    """Read the record, let `change` alter it in place, write it back.

    Raises:
        OSError: the file cannot be written.
    """
    with _locked():
        _set_damaged_aside()
        data = load()
        change(data)
        _write(data)
    return data


def record(lab: paths.Lab | str, results: Iterable[Result]) -> bool:
    """Remember what a check of a learner's own notebook found. Never raises: a verdict matters more than its record.

    The exercises that occur in `results` are replaced, the lab's others stay. An exercise that passed once keeps the
    time of its first pass, whatever happens to it later.

    Returns:
        Whether it was written.
    """
    lab_id = lab if isinstance(lab, str) else lab.id
    by_exercise: dict[str, list[Result]] = {}
    for result in results:
        by_exercise.setdefault(result.exercise, []).append(result)

    def change(data: dict) -> None:
        for name, found in by_exercise.items():
            _remember(exercise_record(data, lab_id, name), found)
        lab_record(data, lab_id)["checked"] = now()

    return note(change)


def note(change: Callable[[dict], object]) -> bool:
    """`update`, but a record that cannot be written is no reason to stop: says whether it was."""
    try:
        update(change)
    except Exception:
        return False
    return True


def status_of(results: list[Result]) -> str:
    """One status for an exercise out of those of its tests."""
    found = {result.status for result in results}
    return next((status for status in STATUS_ORDER if status in found), "pass")


def _remember(exercise: dict, results: list[Result]) -> None:
    exercise["status"] = status_of(results)
    exercise["points"] = sum(result.points for result in results)
    exercise["earned"] = sum(result.earned for result in results)
    exercise["tests"] = {result.test: result.status for result in results}
    exercise["checks"] = exercise.get("checks", 0) + 1
    exercise["checked"] = now()
    if exercise["status"] == "pass":
        exercise.setdefault("passed", now())


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Hold the record's lock. After `LOCK_SECONDS` go on without it: a hung program must not stop a learner."""
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            lock = stack.enter_context(open(paths.state_dir() / "progress.lock", "w"))
            deadline = time.monotonic() + LOCK_SECONDS
            while not _try_lock(lock) and time.monotonic() < deadline:
                time.sleep(0.02)
        yield


def _try_lock(lock) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system knows no locks; waiting would not help
    return True


def _set_damaged_aside() -> None:
    """Keep a file that cannot be read: somebody may still mend it by hand."""
    path = file()
    try:
        intact = is_record(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    except ValueError:
        intact = False
    if not intact:
        path.replace(path.with_name(f"progress.damaged-{now().replace(':', '')}.json"))


def _write(data: dict) -> None:
    handle, temporary = tempfile.mkstemp(dir=paths.state_dir(), prefix="progress.", suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(data, stream, indent=1)
        os.replace(temporary, file())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
