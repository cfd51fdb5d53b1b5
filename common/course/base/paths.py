"""Where the course's files live, and the ids by which people name labs.

A lab's id is `PP.N` (`01.2`: phase 01, lab 2). A lab with the number 0 is a page of items: its exercises have ids of
their own (`00.7`: exercise 7 of lab 00.0). A lab's files carry the same stem everywhere:

    solutions/01_tensors/02_frame_extractor.py      the source, by hand
    solutions/01_tensors/02_frame_extractor.ipynb   executed, built
    labs/01_tensors/02_frame_extractor.ipynb        the fill-in lab, built
    work/01_tensors/02_frame_extractor.ipynb        the learner's copy
    tests/labs/01_tensors/test_02_frame_extractor.py
    tests/labs/01_tensors/answers/02_frame_extractor/EXERCISE/{wrong,right}_*.py
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path


class CourseError(Exception):
    """Something a person can mend: the message says what happened, with which value, and what to do next."""


def root() -> Path:
    """The course's folder: `FLIPBOOK_ROOT`, or the checkout that this package was imported from."""
    here = Path(os.environ.get("FLIPBOOK_ROOT") or Path(__file__).resolve().parents[3])
    if not (here / "tests" / "labs").is_dir():
        raise CourseError(
            f"{here} is not a Flipbook checkout (it has no tests/labs). This command belongs to the course: run it "
            "from a clone of the repository, or set FLIPBOOK_ROOT to one."
        )
    return here


@dataclass(frozen=True, order=True)
class Lab:
    """One lab: `phase` is a folder name such as `01_tensors`, `stem` a file name such as `02_frame_extractor`."""

    phase: str
    stem: str

    @property
    def id(self) -> str:
        return f"{self.phase[:2]}.{int(self.stem.split('_')[0])}"

    @property
    def title(self) -> str:
        return self.stem.split("_", 1)[1].replace("_", " ").capitalize()

    @property
    def source(self) -> Path:
        return root() / "solutions" / self.phase / f"{self.stem}.py"

    @property
    def tests(self) -> Path:
        return root() / "tests" / "labs" / self.phase / f"test_{self.stem}.py"

    @property
    def bank(self) -> Path:
        return root() / "tests" / "labs" / self.phase / "answers" / self.stem

    def notebook(self, target: str = "work") -> Path:
        """The notebook in `work`, `labs` or `solutions`; it need not exist yet."""
        return root() / target / self.phase / f"{self.stem}.ipynb"


def all_labs() -> list[Lab]:
    """Every lab that is built, in course order (a lab is built when its source and its grader stand there)."""
    sources = (root() / "solutions").glob("[0-9][0-9]_*/[0-9][0-9]_*.py")
    return sorted(lab for lab in (Lab(p.parent.name, p.stem) for p in sources) if lab.tests.exists())


def find_lab(lab_id: str) -> Lab:
    """The lab with this id. Accepts `01.2`, `1.2`, `01_2`, and a path or file name of the lab's notebook.

    An item's id gives the page that holds it; `lab_source.find` tells which exercise that is.

    Raises:
        CourseError: no lab has this id; the message lists the ones that exist.
    """
    text = str(lab_id).strip()
    match = re.fullmatch(r"(\d{1,2})[._](?:p)?(\d{1,2})", text)
    labs = all_labs()
    if match:
        wanted = f"{int(match[1]):02d}.{int(match[2])}"
        found = [lab for lab in labs if lab.id == wanted] or [lab for lab in labs if wanted in item_ids(lab)]
    else:
        path = Path(text)
        stem, phase = path.stem.removeprefix("test_"), path.parent.name
        found = [lab for lab in labs if stem == lab.stem and phase in ("", lab.phase)]
    if not found:
        known = ", ".join(lab.id for lab in labs) or "none yet"
        raise CourseError(f"there is no lab {text!r}. Ids look like 01.2; the labs here are: {known}.")
    return found[0]


def item_ids(lab: Lab) -> list[str]:
    """The ids of a page's exercises, in order; a lab with a number above 0 has none."""
    from common.course.source import lab_source

    phase, number = lab.id.split(".")
    return [f"{phase}.{n}" for n, _ in enumerate(lab_source.exercises(lab), 1)] if number == "0" else []


def state_dir() -> Path:
    """`work/.flipbook`: progress, releases that were started, JupyterLab's settings. Made when first asked for."""
    folder = root() / "work" / ".flipbook"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
