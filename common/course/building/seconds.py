"""Seconds per cell, measured by the build and shown where a cell takes more than ten of them.

Measured are core-seconds: the processor time of the kernel and of the processes that it started, with one thread, so
that a busy machine changes nothing. They are kept beside the source, `NN_name.seconds.json`, rounded coarsely, and a
kept number changes only when a measurement differs from it by half. So the file, and the pages made from it, stay the
same from one build to the next.

    {"cpu": {"all": 45, "cells": {"taken = race(LOADERS)": {"seconds": 20, "bar": true}}}}

`ci` is measured each time the build runs a notebook, `cpu` (what learners run) by `flipbook build --measure ID`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from common import files

STEPS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600)
FACTOR = 1.5  # a kept number stays while what is measured is within this factor of it
LONG = 10  # seconds: what takes longer is said before the cell, and has a progress bar
SHOWN = "cpu"  # the preset that learners run
BAR = re.compile(r"\d+%\||\r.*\d+(?:\.\d+)?\s?(?:s|\w+)/(?:\w+|s)")  # what tqdm writes, with a total or without


def beside(source: Path) -> Path:
    """The file that keeps the seconds of what this source says."""
    return source.with_suffix(".seconds.json")


def kept(source: Path) -> dict[str, dict]:
    """What is kept for a source: preset to `{"all": seconds, "cells": {name: {"seconds": …, "bar": …}}}`."""
    path = beside(source)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(source: Path, preset: str, cells: dict[str, tuple[float, bool]]) -> bool:
    """Keep one measurement; True where it changed the file.

    Args:
        source: the percent source that was run.
        preset: the preset that it was run under.
        cells: each cell's name to its core-seconds, and whether it showed a progress bar.
    """
    before = kept(source)
    old = before.get(preset, {"all": 0, "cells": {}})
    long = {}
    for name, (seconds, bar) in cells.items():
        earlier = old["cells"].get(name, {}).get("seconds", 0)
        known = settled(earlier, seconds)
        if known > LONG or earlier == known:
            long[name] = {"seconds": known, "bar": bar}
    entry = {"all": settled(old["all"], sum(seconds for seconds, _ in cells.values())), "cells": long}
    after = dict(sorted((before | {preset: entry}).items(), reverse=True))
    if after == before:
        return False
    files.write_text(beside(source), json.dumps(after, indent=1, ensure_ascii=False) + "\n")
    return True


def settled(old: float, new: float) -> int:
    """The kept number while the new one is near it, else the nearest of `STEPS`."""
    if old and old / FACTOR <= new <= old * FACTOR:
        return int(old)
    return min(STEPS, key=lambda step: max(step, new) / max(min(step, new), 1e-3))


def long_cells(source: Path) -> dict[str, int]:
    """Name to seconds of the cells that take a learner more than `LONG`."""
    cells = kept(source).get(SHOWN, {}).get("cells", {})
    return {name: entry["seconds"] for name, entry in cells.items() if entry["seconds"] > LONG}


def names(cells: list[dict]) -> Iterator[tuple[int, str]]:
    """Index and name of each code cell: its exercise, its check, or its first line, numbered where it recurs."""
    used: dict[str, int] = {}
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        known = next((f"{role} {name}" for role, name in cell["metadata"].get("flipbook", {}).items()), "")
        lines = (line.strip() for line in cell["source"].splitlines())
        name = known or next((line for line in lines if line and not line.startswith("#")), "empty")[:60]
        used[name] = used.get(name, 0) + 1
        yield index, name if used[name] == 1 else f"{name} ({used[name]})"


def said(seconds: int) -> str:
    """How a page says it: "30 s", "5 minutes"."""
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:g} minutes"


def showed_bar(cell: dict) -> bool:
    """Whether an executed cell drew a progress bar."""
    return any(BAR.search("".join(output.get("text", ""))) for output in cell.get("outputs", []))


def processor_time(pid: int) -> float:
    """Seconds that a process and the children that it waited for have computed; 0.0 where it is gone."""
    import psutil  # comes with Jupyter's kernel

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
