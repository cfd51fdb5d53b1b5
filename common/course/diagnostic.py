"""The diagnostic's map: what is solid and what to revise first, from the learner's own record.

The items of phase 0 are the exercises of one page, lab 00.0, and have the ids 00.1 to 00.12. The map is drawn from what
their checks have found on this machine; that is in `work/.flipbook/progress.json` and goes nowhere else.
"""

import html
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common.course.checking.render import AMBER, GREEN, GREY
from common.course.learner import progress
from common.course.source import syllabus

SOLID, REVISE, OPEN = "solid", "revise first", "not tried"
MARKS = {SOLID: "✔", REVISE: "✎", OPEN: "○"}
COLOURS = {SOLID: GREEN, REVISE: AMBER, OPEN: GREY}
LAB = "00.0"

# What the page shows at its top: nine items tried, of which seven pass.
EXAMPLE = {
    **dict.fromkeys(("diffuse", "ddim_step", "guide", "latent_ratio", "merge_skip", "cross_attention"), "pass"),
    "flow_error": "pass",
    "edm_factors": "fail",
    "accumulate_gradients": "fail",
}


@dataclass(frozen=True)
class Item:
    """One item of the diagnostic: its id, such as "00.3", and the exercise that it is."""

    id: str
    exercise: str
    state: str


@dataclass(frozen=True)
class Idea:
    """One idea of phase 0, as it stands with the learner.

    Attributes:
        name: in a few words; `heading` is that of its section in the tutorial.
        phase: the number of the first phase that builds on it.
        papers: pairs of a short name and an arXiv id.
        items: those that are about it.
    """

    id: str
    name: str
    heading: str
    phase: int
    papers: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]

    @property
    def state(self) -> str:
        """Solid if every item passes, to revise if one that was tried does not; else there is something left to try."""
        states = {item.state for item in self.items}
        return REVISE if REVISE in states else SOLID if states == {SOLID} else OPEN


@dataclass(frozen=True, repr=False)
class KnowledgeMap:
    """The ideas in the order in which to revise them. A notebook shows it as static HTML."""

    ideas: tuple[Idea, ...]
    notebook: str = ""  # the tutorial, as a link leads there from the page; empty while it is not built

    def having(self, state: str) -> list[Idea]:
        return [idea for idea in self.ideas if idea.state == state]

    @property
    def headline(self) -> str:
        """What to do, in one sentence."""
        solid, revise = self.having(SOLID), self.having(REVISE)
        left = sorted({item.id for idea in self.ideas for item in idea.items if item.state == OPEN}, key=_number)
        if len(left) == len({item.id for idea in self.ideas for item in idea.items}):
            return "Nothing was tried yet: do an item above, run its check, and run this cell again."
        told = f"{len(solid)} of {len(self.ideas)} ideas are solid."
        if revise:
            told += f" Revise first: {revise[0].name}" + (f", then {revise[1].name}." if len(revise) > 1 else ".")
        elif not left:
            told += " Go straight on to lab 01.1."
        return told + (f" Not tried: {', '.join(left)}." if left else "")

    def __repr__(self) -> str:
        lines = [self.headline]
        for state in (REVISE, OPEN, SOLID):
            for idea in self.having(state):
                items = ", ".join(f"{MARKS[item.state]} {item.id}" for item in idea.items)
                lines.append(f"  {MARKS[state]} {state:12} {idea.name:29} {items}")
                if state != SOLID:
                    papers = ", ".join(f"{name} (arXiv:{number})" for name, number in idea.papers)
                    lines.append(f"      read: the tutorial's section {idea.heading!r}; {papers}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [f'<div class="flipbook-map" style="{_BOX}"><b>{html.escape(self.headline)}</b>']
        parts += [f'<table style="{_TABLE}"><tr>', *(f'<th style="{_CELL}">{name}</th>' for name in _COLUMNS), "</tr>"]
        for state in (REVISE, OPEN, SOLID):
            parts += [self._row(idea) for idea in self.having(state)]
        return "".join([*parts, "</table></div>"])

    def _row(self, idea: Idea) -> str:
        tone = COLOURS[idea.state]
        name = html.escape(idea.name)
        if self.notebook:
            name = f'<a href="{self.notebook}#{html.escape(idea.heading.replace(" ", "-"))}">{name}</a>'
        items = " ".join(
            f'<span style="color:{COLOURS[item.state]};white-space:nowrap" title="{item.exercise}: {item.state}">'
            f"{MARKS[item.state]}&#8239;{item.id}</span>"
            for item in idea.items
        )
        papers = ", ".join(f'<a href="https://arxiv.org/abs/{n}">{html.escape(title)}</a>' for title, n in idea.papers)
        state = f'<b style="color:{tone}">{MARKS[idea.state]} {idea.state}</b>'
        return (
            f'<tr style="border-top:1px solid rgba(128,128,128,.3)"><td style="{_CELL};border-left:5px solid {tone}">'
            f'{state}</td><td style="{_CELL}">{name}</td><td style="{_CELL}">{items}</td>'
            f'<td style="{_CELL}">{papers}</td><td style="{_CELL}">phase {idea.phase}</td></tr>'
        )


_BOX = "padding:6px 0;margin:4px 0;text-align:left;line-height:1.45"
_TABLE = "border-collapse:collapse;margin:6px 0;font-size:1em"
_CELL = "text-align:left;padding:3px 12px 3px 8px;vertical-align:top"
_COLUMNS = ("where you stand", "idea, and its section", "items", "papers", "first needed in")


def knowledge_map(statuses: Mapping[str, str] | None = None) -> KnowledgeMap:
    """What is solid and what to revise first.

    Args:
        statuses: of exercises, such as `{"diffuse": "pass"}`, in place of the learner's record.

    Raises:
        CourseError: the diagnostic or the syllabus is missing.
    """
    states = {name: _state(status) for name, status in (_recorded() if statuses is None else statuses).items()}
    facts = _facts()
    items = {name: Item(f"00.{number}", name, states.get(name, OPEN)) for number, name in enumerate(facts["items"], 1)}
    built = {concept.id: concept for phase in syllabus.read() for concept in phase.concepts if not concept.planned}
    return KnowledgeMap(
        tuple(_idea(entry, facts["items"], items, built) for entry in facts["ideas"]), _link(built.values())
    )


def _idea(entry: dict, about: dict, items: dict[str, Item], built: dict) -> Idea:
    key = entry["id"]
    heading = built[key].heading if key in built else entry["name"]
    mine = tuple(items[name] for name, ideas in about.items() if key in ideas)
    return Idea(key, entry["name"], heading, entry["phase"], tuple(map(tuple, entry["papers"])), mine)


def _link(built) -> str:
    """The tutorial, from a page in `work/00_prerequisites/`: a learner's copy of it is there too."""
    names = {concept.notebook.name for concept in built if concept.id.startswith("00.")}
    return f"tutorials/{names.pop()}" if len(names) == 1 else ""


def _recorded() -> dict[str, str]:
    """The status of each item's last check. While the course builds and tests its pages, no one has done anything."""
    if os.environ.get("FLIPBOOK_STRICT") or os.environ.get("NBGRADER_EXECUTION"):
        return {}
    known = progress.load()["labs"].get(LAB, {}).get("exercises", {})
    return {name: "shown" if entry.get("gave_up") else entry.get("status", "todo") for name, entry in known.items()}


def _state(status: str) -> str:
    return {"pass": SOLID, "todo": OPEN}.get(status, REVISE)


def _number(item_id: str) -> int:
    return int(item_id.split(".")[1])


@cache
def _facts() -> dict:
    return tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
