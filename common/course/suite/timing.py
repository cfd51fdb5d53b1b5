"""A pytest plugin: the slowest files of a run, and what the whole suite would take with every lab of the syllabus.

    pytest -p common.course.suite.timing

Each run adds its seconds to the file that `FLIPBOOK_TIMES` names, and the last one (`FLIPBOOK_PROJECT=1`) projects.
"""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NUM_SHOWN = 15
NUM_LABS, NUM_TUTORIALS, MINUTES = 51, 40, 45  # of the whole course, and what all its checks may take on two cores
LAB_NAMED = re.compile(r"\[(\d\d\.\d+)\b|/(?:labs|solutions)/\d\d_|\[(?:labs|solutions)/")


@dataclass
class Times:
    """Core-seconds of tests, by what they belong to."""

    notebooks: Counter = field(default_factory=Counter)
    banks: Counter = field(default_factory=Counter)
    tests: Counter = field(default_factory=Counter)
    per_lab: float = 0.0  # of `tests`: those that belong to one lab

    def add(self, nodeid: str, seconds: float) -> None:
        """Count one phase of one test."""
        name = nodeid.partition("::")[0]
        if name.endswith(".ipynb"):
            self.notebooks["/".join(Path(name).parts[-3:])] += seconds
        elif "test_banks" in name:
            self.banks[nodeid.rpartition("[")[2].rstrip("]")] += seconds
        else:
            self.tests[name] += seconds
            self.per_lab += seconds if LAB_NAMED.search(nodeid) else 0.0


@dataclass(frozen=True)
class Projection:
    """What the suite would take with all labs and tutorials, in minutes on two cores."""

    per_lab: float
    per_tutorial: float
    fixed: float

    @property
    def minutes(self) -> float:
        return (NUM_LABS * self.per_lab + NUM_TUTORIALS * self.per_tutorial + self.fixed) / 2 / 60

    def __str__(self) -> str:
        return (
            f"Projected to {NUM_LABS} labs ({self.per_lab:.0f} core-seconds each) and {NUM_TUTORIALS} tutorials "
            f"({self.per_tutorial:.0f} each), with {self.fixed:.0f} for all else: {self.minutes:.0f} minutes on two "
            f"cores (limit {MINUTES})."
        )


def project(times: Times) -> Projection | None:
    """Scale what was measured to the whole course; None where nothing of it was measured."""
    solutions = {name: s for name, s in times.notebooks.items() if name.startswith("solutions/")}
    tutorials = {name: s for name, s in times.notebooks.items() if name.startswith("phases/")}
    if not solutions or not tutorials:
        return None
    per_lab = (sum(solutions.values()) + sum(times.banks.values()) + times.per_lab) / len(solutions)
    per_tutorial = sum(tutorials.values()) / len(tutorials)
    return Projection(per_lab, per_tutorial, sum(times.tests.values()) - times.per_lab)


class Timing:
    """Collects durations on the process that reports, and prints before pytest's own last line."""

    def __init__(self):
        self.times = Times()

    def pytest_runtest_logreport(self, report):
        self.times.add(report.nodeid, report.duration)

    def pytest_terminal_summary(self, terminalreporter):
        for title in ("notebooks", "banks", "tests"):
            slowest = getattr(self.times, title).most_common(NUM_SHOWN)
            if slowest:
                terminalreporter.section(f"slowest {title}, core-seconds")
                for name, seconds in slowest:
                    terminalreporter.write_line(f"{seconds:8.1f}  {name}")
        whole = remembered(self.times)
        projection = project(whole) if os.environ.get("FLIPBOOK_PROJECT") else None
        if projection:
            terminalreporter.write_line(str(projection))


def remembered(times: Times) -> Times:
    """These times with those of the earlier runs, which the file holds from now on."""
    path = os.environ.get("FLIPBOOK_TIMES")
    if not path:
        return times
    earlier = json.loads(Path(path).read_text()) if Path(path).exists() else {}
    whole = Times(per_lab=times.per_lab + earlier.get("per_lab", 0.0))
    for name in ("notebooks", "banks", "tests"):
        setattr(whole, name, getattr(times, name) + Counter(earlier.get(name, {})))
    Path(path).write_text(json.dumps(vars(whole)))
    return whole


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # under xdist the workers report to the process that began
        config.pluginmanager.register(Timing(), "flipbook-timing")
