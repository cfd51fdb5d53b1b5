"""Bring a learner's work into a newer release of the same lab: a three-way merge of notebooks, cell by cell.

`base` is the release that the learner started from, `mine` their copy, `release` the new one. What the learner wrote in
an exercise always comes along; what they changed elsewhere comes along unless the course changed the same cell too.
"""

import copy
from dataclasses import dataclass, field

from common.course.base import cells


@dataclass
class Report:
    """What came along, in the learner's terms."""

    carried: list[str] = field(default_factory=list)  # exercises and written answers
    own_cells: int = 0  # cells that the learner added
    edited: int = 0  # other cells of the course that the learner had changed
    superseded: int = 0  # cells changed on both sides: the new text stands, theirs is in the backup
    orphaned: list[str] = field(default_factory=list)  # exercises that the new release no longer has


def merge(base: dict | None, mine: dict, release: dict) -> tuple[dict, Report]:
    """The new release with the learner's work in it.

    Args:
        base: the release that `mine` was copied from; None if unknown, then only exercises, written answers and
            added cells are taken for the learner's.
        mine: the learner's notebook.
        release: the new release; it is not changed.
    """
    report = Report()
    origin = base or release
    known = {cells.key(cell): cell for cell in origin["cells"]}
    merged = copy.deepcopy(release)
    place = {cells.key(cell): cell for cell in merged["cells"]}
    new = set(place)
    taken = {cell["id"] for cell in merged["cells"] if "id" in cell}
    anchor = None  # the merged cell after which the learner's next own cell belongs
    for name, cell in _identified(mine, origin):
        target = place.pop(name, None)  # a second cell with the same name is a copy that the learner made
        if target is not None and name in known:
            _bring_over(cell, known[name], target, name, base is not None, report)
            anchor = target
        elif name not in known or cells.source(cell) != cells.source(known[name]):
            anchor = _insert(merged, anchor, _own(cell, taken))
            report.own_cells += 1
            if name in known and name not in new and name[0] != "cell":
                report.orphaned.append(name[1])
    return merged, report


def _identified(mine: dict, origin: dict) -> list[tuple[tuple[str, str], dict]]:
    """Each of the learner's cells with its key, recovered where an editor dropped metadata or made new ids."""
    known = {cells.key(cell): cell for cell in origin["cells"]}
    names = {id(cell): cells.key(cell) for cell in mine["cells"]}
    unclaimed = {name: cell for name, cell in known.items() if name not in names.values()}
    for name in [name for name in unclaimed if name[0] == "exercise"]:
        found = cells.find_exercise(mine, name[1])
        if found is not None and names[id(found)] not in known:
            names[id(found)] = name
            del unclaimed[name]
    by_text = {(cell.get("cell_type"), cells.source(cell)): name for name, cell in unclaimed.items()}
    for cell in mine["cells"]:
        if names[id(cell)] not in known:
            names[id(cell)] = by_text.pop((cell.get("cell_type"), cells.source(cell)), names[id(cell)])
    return [(names[id(cell)], cell) for cell in mine["cells"]]


def _bring_over(
    cell: dict, origin: dict, target: dict, name: tuple[str, str], base_known: bool, report: Report
) -> None:
    """Put the learner's text of one cell into the new release's cell, if it is theirs to keep."""
    text = cells.source(cell)
    if text == cells.source(origin):
        return
    answer = name[0] == "exercise" or cells.nbgrader(target).get("solution", False)
    if answer:
        report.carried.append(name[1])
    elif base_known and cells.source(target) == cells.source(origin):
        report.edited += 1
    else:
        report.superseded += text != cells.source(target)
        return
    cells.set_source(target, text)


def _own(cell: dict, taken: set[str]) -> dict:
    """A learner's cell as a cell of its own: no roles in the course, and an id that is still free."""
    own = copy.deepcopy(cell)
    for role in ("flipbook", "nbgrader"):
        own.get("metadata", {}).pop(role, None)
    while own.get("id") in taken:
        own["id"] = f"{own['id'][:56]}-mine"
    if "id" in own:
        taken.add(own["id"])
    return own


def _insert(notebook: dict, anchor: dict | None, cell: dict) -> dict:
    """Put `cell` after `anchor` (at the top when there is none) and hand it back."""
    position = next((i for i, other in enumerate(notebook["cells"]) if other is anchor), -1)
    notebook["cells"].insert(position + 1, cell)
    return cell


def restore(mine: dict, release: dict, exercise: str) -> None:
    """Put the release's empty cell of one exercise into the learner's notebook, in the place where it belongs."""
    stub = copy.deepcopy(next(c for c in release["cells"] if cells.flipbook(c).get("exercise") == exercise))
    old = cells.find_exercise(mine, exercise)
    if old is not None:
        mine["cells"][next(i for i, cell in enumerate(mine["cells"]) if cell is old)] = stub
        return
    order = [cells.key(cell) for cell in release["cells"]]
    before = set(order[: order.index(("exercise", exercise))])
    anchor = next((cell for cell in reversed(mine["cells"]) if cells.key(cell) in before), None)
    _insert(mine, anchor, stub)
