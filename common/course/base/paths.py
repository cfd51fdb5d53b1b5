"""Where the course's files live, and the ids by which people name labs.

A lab's id is `PP.N` (`01.2`: phase 01, lab 2). A lab with the number 0 is a page of items: its exercises have ids of
their own (`00.7`: exercise 7 of lab 00.0). A lab's files carry the same stem everywhere:

    solutions/01_tensors/02_frame_extractor.py      the source, by hand
    solutions/01_tensors/02_frame_extractor.ipynb   executed, built
    labs/01_tensors/02_frame_extractor.ipynb        the fill-in lab, built
    work/01_tensors/02_frame_extractor.ipynb        the learner's copy
    tests/labs/01_tensors/test_02_frame_extractor.py
    tests/labs/01_tensors/answers/02_frame_extractor/EXERCISE.toml             the wrong answers
    tests/labs/01_tensors/answers/02_frame_extractor/EXERCISE/right_*.py
"""

import os
from dataclasses import dataclass
from pathlib import Path


class CourseError(Exception):
    """Something a person can mend: the message says what happened, with which value, and what to do next."""


def is_checkout() -> bool:
    """Whether there is a course here, and not the library alone."""
    return (_place() / "tests" / "labs").is_dir()


def _place() -> Path:
    return Path(os.environ.get("FLIPBOOK_ROOT") or Path(__file__).resolve().parents[3]).expanduser()


def root() -> Path:
    """The course's folder: `FLIPBOOK_ROOT`, or the checkout that this package was imported from."""
    here = _place()
    if not is_checkout():
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
    def calibration(self) -> Path:
        """What was measured for the grader's outcome tests; not every lab has one."""
        return self.tests.parent / "calibration" / f"{self.stem}.json"

    @property
    def bank(self) -> Path:
        return root() / "tests" / "labs" / self.phase / "answers" / self.stem

    def notebook(self, target: str = "work") -> Path:
        """The notebook in `work`, `labs` or `solutions`; it need not exist yet."""
        return root() / target / self.phase / f"{self.stem}.ipynb"


def all_labs() -> list[Lab]:
    """Every lab that is built, in course order (a lab is built when its source and its grader are there)."""
    sources = (root() / "solutions").glob("[0-9][0-9]_*/[0-9][0-9]_*.py")
    return sorted(lab for lab in (Lab(p.parent.name, p.stem) for p in sources) if lab.tests.exists())


def state_dir() -> Path:
    """`work/.flipbook`: progress, releases that were started, JupyterLab's settings. Made when first asked for."""
    folder = root() / "work" / ".flipbook"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
