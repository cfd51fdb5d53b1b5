"""Which checks a change can affect: followed through imports as text, and through what the notebooks were built from.

A check is chosen when a changed file is among those it reads. What it reads is known from its imports (inside functions
too), from the commands it starts, and from a short table of files that tests look at as files. In doubt it is chosen.
"""

import re
import subprocess
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.building import build, seconds
from common.course.building.build import Target
from common.course.source import lab_source
from common.course.source.imports import library_files

# A change here can change anything.
EVERYTHING = ("pyproject.toml", "constraints*.txt", "flipbook.py", ".ci/*", "tests/conftest.py")
# Changed files, and the test files that look at them without importing them.
READ_AS_FILES = {
    ("*.md", "phases/*", "solutions/*", "labs/*", ".github/*"): (
        "tests/course/test_pages.py", "tests/course/test_readme.py", "tests/course/test_repository.py",
    ),
    ("solutions/*", "labs/*", "phases/*", "tests/labs/*"): (
        "tests/course/test_repository.py", "tests/course/test_build*.py", "tests/course/test_nbgrader.py",
        "tests/course/test_mine.py", "tests/course/test_seconds.py", "tests/course/test_startpage.py",
        "tests/course/test_syllabus.py", "tests/e2e/*",
    ),
    ("common/*",): ("tests/common/test_import_rules.py", "tests/common/test_wheel.py"),
    ("common/zoo/*",): ("tests/common/test_zoo.py", "tests/common/test_wheel.py"),
    ("datasets/*",): ("tests/common/test_*data*.py", "tests/common/test_sources.py", "tests/common/test_digits*.py"),
}  # fmt: skip
SHELF = "common/zoo/shelf.py"
MACHINE = ("common.course.banks.mutants", "common.course.plugin", "common.course.commands.mutants")
BUILDER = ("common.course.building.build",)
COMMAND = re.compile(r"common\.(course|cli)\b")


@dataclass
class Selection:
    """What to run, and how many there are in all."""

    changed: list[str]
    tests: list[Path] = field(default_factory=list)
    notebooks: list[Path] = field(default_factory=list)
    banks: list[Lab] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for what runs, one for what is left out."""
        chosen = {"test files": self.tests, "notebooks": self.notebooks, "banks": self.banks}
        run = ", ".join(f"{len(found)} of {self.totals[name]} {name}" for name, found in chosen.items())
        left = ", ".join(f"{self.totals[name] - len(found)} {name}" for name, found in chosen.items())
        return (
            f"{len(self.changed)} files changed. To run: {run}.\nLeft out, since nothing they read has changed: {left}."
        )

    def listing(self) -> str:
        """What runs, by name: one line a kind, `all` where nothing is left out."""
        names = {
            "test files": [path.relative_to(paths.root() / "tests").as_posix() for path in self.tests],
            "notebooks": [path.relative_to(paths.root()).with_suffix("").as_posix() for path in self.notebooks],
            "banks": [lab.id for lab in self.banks],
        }
        said = {
            kind: "all" if len(found) == self.totals[kind] else ", ".join(found) or "none"
            for kind, found in names.items()
        }
        return "\n".join(f"  {kind}: {found}" for kind, found in said.items())


def changed_files(base: str) -> list[str]:
    """Files that differ from `base` in the working tree, untracked ones included; paths from the checkout's root.

    Raises:
        CourseError: git does not know the base, or is not there.
    """
    try:
        tracked = _git("diff", "--name-only", "-z", "--no-renames", base, "--")
        untracked = _git("ls-files", "-zo", "--exclude-standard")
    except (subprocess.CalledProcessError, OSError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        reason = said[0] if said else "git failed"
        raise CourseError(
            f"cannot tell what has changed since {base!r} ({reason}): name a commit or a branch"
        ) from None
    return sorted({name for name in (tracked + untracked).split("\0") if name})


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=paths.root(), capture_output=True, text=True, check=True).stdout


def select(changed: list[str], tests: list[Path], notebooks: list[Path]) -> Selection:
    """What the change can affect.

    Args:
        changed: changed files, as `changed_files` gives them.
        tests: every test file of the suite.
        notebooks: every notebook that is run.
    """
    change, targets = Change(frozenset(changed)), build.targets()
    num_labs = sum(target.lab is not None for target in targets)
    selection = Selection(changed, totals={"test files": len(tests), "notebooks": len(notebooks), "banks": num_labs})
    selection.tests = [path for path in tests if change.reaches_test(path.relative_to(paths.root()).as_posix())]
    built = {target.notebook: target for target in targets}
    selection.notebooks = [path for path in notebooks if path not in built or change.reaches_target(built[path])]
    selection.banks = [target.lab for target in targets if target.lab and change.reaches_bank(target)]
    return selection


@dataclass(frozen=True)
class Change:
    """A set of changed files, and questions about what they reach."""

    files: frozenset[str]

    @cached_property
    def is_total(self) -> bool:
        return any(_matches(name, EVERYTHING) for name in self.files)

    @cached_property
    def machine_changed(self) -> bool:
        """Whether what runs a learner's tests has changed."""
        return self._touches(_closure(None, MACHINE))

    def reaches_test(self, test: str) -> bool:
        if self.is_total or test in self.files:
            return True
        for changed, readers in READ_AS_FILES.items():
            if _matches(test, readers) and any(_matches(name, changed) for name in self.files):
                return True
        helpers = [name for name in self.files if not Path(name).name.startswith("test_")]
        if any(name.startswith(f"{Path(test).parent.as_posix()}/") for name in helpers):
            return True  # a helper, a conftest or a file of inputs beside it
        path = paths.root() / test
        return self._touches(_closure(path, _commands(path)))

    def reaches_target(self, target: Target) -> bool:
        """Whether a notebook would run differently: its source, what it imports, or what checks it.

        One that is out of date, and reads nothing that has changed, was so before.
        """
        if self.is_total or self._names(target.path, target.notebook, seconds.beside(target.path)):
            return True
        lab = target.lab
        if lab and (self.machine_changed or self._names(lab.tests, lab.calibration, lab.notebook("labs"))):
            return True
        if self._touches(_closure(target.path, _parts(lab))):
            return True
        return self._touches(_closure(None, BUILDER)) and bool(build.out_of_date(target))

    def reaches_bank(self, target: Target) -> bool:
        lab = target.lab
        if self.is_total or self.machine_changed or self._names(lab.source, lab.tests, lab.calibration):
            return True
        folder = lab.bank.relative_to(paths.root()).as_posix()
        if any(_matches(name, (f"{folder}/*",)) for name in self.files):
            return True
        return self._touches(_closure(lab.tests)) or self._touches(_closure(lab.source, _parts(lab)))

    def _names(self, *files: Path) -> bool:
        return any(path.relative_to(paths.root()).as_posix() in self.files for path in files)

    def _touches(self, closure: frozenset[str]) -> bool:
        """Whether a changed file is one of these modules, or data in the folder of one."""
        if self.files & closure:
            return True
        folders = {name.rpartition("/")[0] for name in closure}
        data = [name for name in self.files if name.startswith("common/") and not name.endswith(".py")]
        if any(name.startswith("datasets/") for name in self.files) and "common/data/__init__.py" in closure:
            return True
        return any(name.rpartition("/")[0] in folders for name in data)


def _parts(lab: Lab | None) -> tuple[str, ...]:
    """The library modules that a lab's exercises come from."""
    return tuple(exercise.module for exercise in lab_source.exercises(lab) if exercise.module) if lab else ()


@cache
def _closure(path: Path | None, extra: tuple[str, ...] = ()) -> frozenset[str]:
    """The files of `common` that a file and these modules need, by name from the checkout's root."""
    files = {file.relative_to(paths.root()).as_posix() for file in library_files(path, extra, course=True)}
    if SHELF in files:  # it imports its entries by name
        files |= {file.relative_to(paths.root()).as_posix() for file in paths.root().glob("common/zoo/*/*.py")}
    return frozenset(files)


def _commands(path: Path) -> tuple[str, ...]:
    """The programs that a test starts by name: their modules."""
    text = path.read_text(encoding="utf-8")
    if "subprocess" not in text and "CliRunner" not in text:
        return ()
    modules = {"common.course": "common.course.__main__", "common.cli": "common.cli"}
    return tuple(sorted({modules[match[0]] for match in COMMAND.finditer(text)}))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path fits one of these patterns; `*` stands for any text, slashes included."""
    return any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) for pattern in patterns)
