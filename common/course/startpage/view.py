"""The start page: where am I, what next, how far have I come, and the whole course at a glance.

It is a tab of JupyterLab, drawn afresh by the server each time it is shown and every few seconds while it is in view.
A file under `work/` was tried first and loses: JupyterLab shows an open Markdown file as it was when it was opened, so
after a check the page would lie; an HTML file asks to be trusted and may not follow its own links; a notebook wants a
kernel. Its links open notebooks in the same window with one click, and a button at the top leads back with one.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common.course.base.paths import CourseError
from common.course.learner import progress
from common.course.startpage import overview

HERE = Path(__file__).parent
WEEKS_PER_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class Stage:
    """One phase on the timeline: it lasts `least` to `most` weeks (None: open-ended) and ends with `outcome`."""

    phase: int
    least: int | None
    most: int | None
    outcome: str

    @property
    def duration(self) -> str:
        if self.least is None:
            return "ongoing"
        weeks = f"{self.least}" if self.least == self.most else f"{self.least}–{self.most}"
        return f"{weeks} week{'' if self.most == 1 else 's'}"


@dataclass(frozen=True)
class Item:
    """One item of the checklist: ticked `by_labs` when the labs it names are done, or by hand.

    `planned` says that a lab it names is not there yet.
    """

    id: str
    text: str
    labs: tuple[str, ...]
    by_labs: bool
    by_hand: bool
    planned: bool = False


def html(base_url: str = "/") -> str:
    """The page's content, without `<html>` and `<head>`: JupyterLab sets it into a tab.

    Raises:
        CourseError: the syllabus cannot be read.
    """
    course = overview.look()
    titles = {phase.number: phase.title for phase in course.phases}
    stages = [stage for stage in timeline() if stage.phase in titles]
    return _template().render(
        base_url=base_url,
        course=course,
        titles=titles,
        totals=course.as_dict()["totals"],
        next_lab=next((lab for lab in course.labs if course.next and lab.id == course.next.lab), None),
        tutorials=course.here.tutorials if course.here else (),
        stages={stage.phase: stage for stage in stages},
        spans=list(spans(stages)),
        total_weeks=total_weeks(stages),
        months=months(stages),
        checklist=checklist(course),
        glossary=overview.page("GLOSSARY.md"),
    )


def timeline() -> list[Stage]:
    """The suggested timeline, phase by phase."""
    return [
        Stage(entry["phase"], *(entry["weeks"] or (None, None)), entry["outcome"]) for entry in _facts()["timeline"]
    ]


def total_weeks(stages: list[Stage]) -> tuple[int, int]:
    """Weeks in all, at least and at most, without the open-ended phase."""
    return sum(stage.least or 0 for stage in stages), sum(stage.most or 0 for stage in stages)


def months(stages: list[Stage]) -> tuple[float, float]:
    """The same in months, to the half."""
    least, most = total_weeks(stages)
    return round(2 * least / WEEKS_PER_MONTH) / 2, round(2 * most / WEEKS_PER_MONTH) / 2


def spans(stages: list[Stage]) -> Iterator[tuple[Stage, float, float]]:
    """Each stage with its start and its width on the timeline, in percent, at the slower pace."""
    room = 2  # weeks shown for the phase without an end
    whole = total_weeks(stages)[1] + room
    start = 0
    for stage in stages:
        width = stage.most if stage.most is not None else room
        yield stage, 100 * start / whole, 100 * width / whole
        start += width


def checklist(course: overview.Course) -> list[Item]:
    """The quick-start checklist, with what is ticked."""
    done = {lab.id for lab in course.labs if lab.done}
    built = {lab.id for lab in course.built}
    ticks = progress.load().get("ticks", {})
    return [
        Item(
            entry["id"],
            entry["text"],
            tuple(entry["labs"]),
            by_labs=bool(entry["labs"]) and done.issuperset(entry["labs"]),
            by_hand=entry["id"] in ticks,
            planned=not built.issuperset(entry["labs"]),
        )
        for entry in _facts()["checklist"]
    ]


def tick(item: str, done: bool) -> None:
    """Tick one item of the checklist by hand, or take the tick back.

    Raises:
        CourseError: there is no such item.
    """
    if item not in {entry["id"] for entry in _facts()["checklist"]}:
        raise CourseError(f"the checklist has no item {item!r}.")

    def change(data: dict) -> None:
        ticks = data.setdefault("ticks", {})
        if done:
            ticks[item] = progress.now()
        else:
            ticks.pop(item, None)

    progress.update(change)


@cache
def _facts() -> dict:
    return tomllib.loads((HERE / "startpage.toml").read_text(encoding="utf-8"))


@cache
def _template():
    import jinja2  # costs 60 ms; the commands that only read the timeline do without it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("start.html.j2")
