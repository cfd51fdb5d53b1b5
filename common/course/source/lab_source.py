"""What the percent source of a lab says: its cells, its exercises, its hints. Cheap: standard library only.

# %% [markdown] about="even_indices" difficulty=1 importance=3 minutes=5
# %% exercise="even_indices" from="common.video.sampling:even_indices"
# %% check="even_indices"
# %% [markdown] hints="even_indices"
# %% [markdown] troubles="even_indices"
# %% [markdown] answer="why" points=1
# %% tags=["setup"]
# %% tags=["demo"] draws="Two shots of the same film, sampled by two rules."
# %% [markdown] tags=["folded"]
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from common.course.base import paths
from common.course.base.guess import did_you_mean
from common.course.base.parts import Part
from common.course.base.paths import CourseError, Lab
from common.course.source import percent, rules, syllabus
from common.course.source.percent import Cell

NUM_HINTS = 3


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lab.

    `library` is the part that answers it, as `"module:name"`, or None when the answer is written in the cell itself.
    `blank` lists the methods that the learner writes when the part is a class.
    """

    name: str
    library: str | None = None
    blank: tuple[str, ...] = ()
    difficulty: int = 0
    importance: int = 0
    minutes: float = 0

    @property
    def module(self) -> str | None:
        return self.library.split(":")[0] if self.library else None


def exercises(lab: Lab) -> list[Exercise]:
    """The exercises of a lab, in order: from its source, or where that is absent (a sandbox) from a built notebook."""
    if lab.source.exists():
        return exercises_of(read(lab.source))
    for target in ("labs", "solutions", "work"):
        if lab.notebook(target).exists():
            return _exercises_of_notebook(lab.notebook(target))
    raise CourseError(f"lab {lab.id} has neither a source ({percent.shown(lab.source)}) nor a built notebook.")


def parts(lab: Lab) -> list[Part]:
    """The library parts that a lab's exercises ask for, in order."""
    return [Part(lab, e.name, e.library, e.blank) for e in exercises(lab) if e.library]


def find(lab_id: str, exercise: str | None = None) -> tuple[Lab, str | None]:
    """The lab and the exercise that are meant: the id of an item (`00.7`) names both.

    Raises:
        CourseError: no lab has this id.
    """
    lab = find_lab(lab_id)
    phase, _, number = str(lab_id).strip().replace("_", ".").partition(".")
    if exercise is None and phase.isdigit() and number.isdigit():
        items = dict(zip(item_ids(lab), exercises(lab)))
        item = items.get(f"{int(phase):02d}.{int(number)}")
        exercise = item.name if item else None
    return lab, exercise


def find_lab(lab_id: str) -> Lab:
    """The lab with this id. Accepts `01.2`, `1.2`, `01_2`, and a path or file name of the lab's notebook.

    An item's id gives the page that holds it; `find` tells which exercise that is.

    Raises:
        CourseError: no lab has this id; the message lists the ones that exist.
    """
    text = str(lab_id).strip()
    match = re.fullmatch(r"(\d{1,2})[._](?:p)?(\d{1,2})", text)
    labs = paths.all_labs()
    if match:
        wanted = f"{int(match[1]):02d}.{int(match[2])}"
        found = [lab for lab in labs if lab.id == wanted] or [lab for lab in labs if wanted in item_ids(lab)]
    else:
        path = Path(text)
        stem, phase = path.stem.removeprefix("test_"), path.parent.name
        found = [lab for lab in labs if stem == lab.stem and phase in ("", lab.phase)]
    if not found:
        raise CourseError(_no_lab(text, labs))
    return found[0]


def _no_lab(text: str, labs: list[Lab]) -> str:
    """Why there is no such lab: the labs of a phase where only that was named, a near name, or all there are."""
    whole = re.fullmatch(r"0?(\d{1,2})\.?", text)
    of_phase = [lab for lab in labs if whole and int(lab.phase[:2]) == int(whole[1])]
    if of_phase:
        listed = ", ".join(f"{lab.id} {syllabus.title(lab)}" for lab in of_phase)
        return f"{text!r} names a phase. Its labs are: {listed}."
    known = ", ".join(lab.id for lab in labs) or "none yet"
    if whole and list(paths.root().glob(f"phases/{int(whole[1]):02d}_*")):
        return f"phase {int(whole[1])} has no labs yet. The labs here are: {known}."
    guess = did_you_mean(text.rpartition("/")[2], [*(lab.stem for lab in labs), *(lab.id for lab in labs)])
    return f"there is no lab {text!r}.{guess} Ids look like 01.2. The labs here are: {known}."


def item_ids(lab: Lab) -> list[str]:
    """The ids of a page's exercises, in order; a lab with a number above 0 has none."""
    phase, number = lab.id.split(".")
    return [f"{phase}.{n}" for n, _ in enumerate(exercises(lab), 1)] if number == "0" else []


def exercises_of(cells: list[Cell]) -> list[Exercise]:
    about = {cell.keys["about"]: cell.keys for cell in cells if "about" in cell.keys}
    return [_exercise(cell.keys, about[cell.keys["exercise"]]) for cell in cells if "exercise" in cell.keys]


def _exercise(keys: dict, about: dict) -> Exercise:
    blank = keys.get("blank") or ()
    names = blank.split(",") if isinstance(blank, str) else blank
    return Exercise(
        name=keys["exercise"],
        library=keys.get("from"),
        blank=tuple(name.strip() for name in names),
        difficulty=about.get("difficulty", 0),
        importance=about.get("importance", 0),
        minutes=about.get("minutes", 0),
    )


def _exercises_of_notebook(path: Path) -> list[Exercise]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    keys = [cell["metadata"].get("flipbook", {}) for cell in cells]
    about = {k["about"]: k for k in keys if "about" in k}
    return [_exercise(k, about.get(k["exercise"], {})) for k in keys if "exercise" in k]


def hints(lab: Lab) -> dict[str, list[str]]:
    """The three hints of each exercise, as markdown, from a nudge to nearly the answer."""
    return {cell.keys["hints"]: hint_list(cell) for cell in read(lab.source) if "hints" in cell.keys}


def hint_list(cell: Cell) -> list[str]:
    """The items of a hint cell's numbered list; an item may run over several lines."""
    found: list[list[str]] = []
    for number, line in enumerate(cell.text.splitlines()):
        item = re.match(r"\d+\.\s+(.*)", line)
        if item:
            found.append([item[1]])
        elif found:
            found[-1].append(re.sub(r"^ {1,3}", "", line))
        else:
            raise cell.error(f"a hint cell holds a numbered list and nothing else, not {line!r}.", cell.first + number)
    if len(found) != NUM_HINTS:
        raise cell.error(
            f"the hints of {cell.keys['hints']} are a numbered list of {NUM_HINTS}, from a nudge to nearly the answer; "
            f"this one has {len(found)}."
        )
    return ["\n".join(lines).strip() for lines in found]


def trouble_list(cell: Cell) -> list[tuple[str, str]]:
    """The folds of a trouble cell: what a learner sees (`- **My histogram jumps at 255.**`), and what it comes from."""
    found: list[list[str]] = []
    for number, line in enumerate(cell.text.splitlines()):
        item = re.match(r"- \*\*(.+?)\*\*\s*(.*)", line)
        if item:
            found.append([item[1], item[2]])
        elif found and (not line or line.startswith("  ")):
            found[-1].append(line.removeprefix("  "))
        else:
            raise cell.error(
                f"a trouble cell is a list of `- **What the learner sees.** What it comes from.`, not {line!r}.",
                cell.first + number,
            )
    return [(title.rstrip("."), "\n".join(lines).strip()) for title, *lines in found]


def read(path: Path) -> list[Cell]:
    """The cells of a lab's or a tutorial's source, every header proven to mean something.

    Raises:
        CourseError: with file and line, for the first thing that is wrong.
    """
    cells = percent.read(path)
    rules.check(cells)
    for cell in cells:
        if "hints" in cell.keys:
            hint_list(cell)
        if "troubles" in cell.keys:
            trouble_list(cell)
    return cells
