"""What a learner has done so far: one small JSON file, `work/.flipbook/progress.json`.

Two programs write it side by side (the notebook's kernel after each check, `flipbook watch` after each save), so every
change is read, made and written back under a lock, and the file is replaced in one step: a reader sees the old state or
the new one, never half of one.
"""

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from common.course.base import paths
from common.course.base.results import Result
from common.files import is_refused, try_lock, write_text

LOCK_SECONDS = 10.0  # how long a check may wait for others to finish writing; three on a busy machine took over 2
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

    A missing file reads as an empty record. Of one that was edited by hand what has the right shape is kept; `update`
    sets a copy of it aside before it writes.
    """
    return _read()[0]


def damage() -> str:
    """What a learner should know of a record that is not as it was written; empty for a good one or none."""
    if _read()[1]:
        return ""
    return (
        f"{file()} is not as it was written: what cannot be read of it counts as not done. "
        "The next check keeps a copy of it beside it, named progress.damaged-DATE.json."
    )


def _read() -> tuple[dict, bool]:
    """The record as far as it has the right shape, and whether that is all of it."""
    try:
        data = json.loads(file().read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, PermissionError, paths.CourseError):
        return empty(), True
    except OSError as error:
        return empty(), is_refused(error)  # a read-only checkout without a record is no damage
    except (ValueError, RecursionError):
        return empty(), False
    kept = _shaped(data)
    return kept, kept == data


def _shaped(data) -> dict:
    """A record with the parts of `data` that have the right shape; a file edited by hand may be anything."""
    if not isinstance(data, dict) or not isinstance(data.get("labs"), dict):
        return empty()
    record = {"version": 1} | {name: value for name, value in data.items() if name not in ("labs", "ticks")}
    if "ticks" in data:
        record["ticks"] = _texts(data["ticks"])
    record["labs"] = {lab_id: _lab(lab) for lab_id, lab in data["labs"].items() if isinstance(lab, dict)}
    return record


def _lab(lab: dict) -> dict:
    kept = {name: value for name, value in lab.items() if name != "exercises" and _fits(name, value)}
    if isinstance(lab.get("exercises"), dict):
        found = lab["exercises"].items()
        kept["exercises"] = {name: _exercise(entry) for name, entry in found if isinstance(entry, dict)}
    return kept


def _exercise(entry: dict) -> dict:
    kept = {name: value for name, value in entry.items() if name != "tests" and _fits(name, value)}
    return kept | ({"tests": _texts(entry["tests"])} if "tests" in entry else {})


def _texts(value) -> dict[str, str]:
    items = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in items if isinstance(text, str)}


def _fits(name: str, value) -> bool:
    """Whether a field has the kind of value that this module writes; what it does not know may be anything."""
    if name == "status":
        return value in ("pass", *STATUS_ORDER)
    if name in ("points", "earned"):
        return type(value) in (int, float) and math.isfinite(value) and value >= 0
    if name in ("hints", "checks"):
        return type(value) is int and value >= 0
    return name not in ("started", "checked", "passed", "gave_up") or isinstance(value, str)


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
        data = load()
        _set_damaged_aside()
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
        lock = stack.enter_context(open(paths.state_dir() / "progress.lock", "w"))
        deadline = time.monotonic() + LOCK_SECONDS
        while not try_lock(lock) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield


def _set_damaged_aside() -> None:
    """Keep a copy of a file that cannot all be read: a person may still mend it by hand."""
    path = file()
    if not _read()[1]:
        path.replace(path.with_name(f"progress.damaged-{now().replace(':', '')}.json"))


def _write(data: dict) -> None:
    write_text(file(), json.dumps(data, indent=1))
