"""The learner's own copies under `work/`: put there, refreshed, reset, and never lost.

Beside each copy the release that it came from is kept (`work/.flipbook/releases/`). It tells a copy that no one touched
from one that holds work, and an updated lab from the one that was started.

Tutorials are copied too (`work/01_tensors/tutorials/`), by the same rules. Opened from `phases/` they would be files of
the repository: what a learner tries out in one would be in the way of the next update, or be overwritten by it, and
a read-only page could not keep it at all.
"""

import contextlib
import os
import platform
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from common import files
from common.course.base import cells, paths
from common.course.base.guess import did_you_mean
from common.course.base.paths import CourseError, Lab
from common.course.learner import carryover, progress

LINK = re.compile(r"(\]\()(?!\w+:|/|#)([^)\s#]+)")  # the target of a relative Markdown link

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": platform.python_version(),
}


@dataclass
class Started:
    """What `start` found and did.

    `state` is one of: new (copied now), same (there already, nothing newer), refreshed (replaced by a newer release,
    no one had worked in it), outdated (worked in, and a newer release is out), updated (work carried over), unreadable.
    """

    notebook: Path
    state: str
    backup: Path | None = None
    report: carryover.Report = field(default_factory=carryover.Report)


def start(lab: Lab, update: bool = False) -> Started:
    """Put the lab under `work/`; a copy that holds work is only ever changed with `update`, and a backup is kept.

    Raises:
        CourseError: the lab is not built, or it cannot be written.
    """
    release = lab.notebook("labs")
    if not release.exists():
        raise CourseError(f"lab {lab.id} has no notebook {shown(release)}: run `flipbook build {lab.id}` first.")
    started = place(release, lab.notebook("work"), update)
    if started.state in ("new", "updated", "refreshed"):
        _note_start(lab)
    return started


def start_tutorial(source: Path) -> Started:
    """Put one tutorial of `phases/` under `work/PP_name/tutorials/`."""
    return place(source, paths.root() / "work" / source.parent.name / "tutorials" / source.name)


def tutorials() -> list[Path]:
    """Every built tutorial, in course order."""
    return sorted((paths.root() / "phases").glob("[0-9][0-9]_*/[0-9][0-9]_*.ipynb"))


def place(release: Path, notebook: Path, update: bool = False) -> Started:
    """Copy `release` to `notebook`, or bring an older copy up to date as far as nothing is lost by it."""
    text = copy_of(release, notebook)
    base_file = base_of(notebook)
    if not notebook.exists():
        cells.write(notebook, text)
        cells.write(base_file, text)
        return Started(notebook, "new")
    base = _read_base(base_file)
    new = cells.parse(text, release)
    try:
        mine = cells.read(notebook)
    except CourseError:
        return Started(notebook, "unreadable")
    # The base is written after the notebook: where that failed, it is made up for here.
    if cells.texts(mine) == cells.texts(new) and (base is None or cells.texts(base) != cells.texts(new)):
        cells.write(base_file, text)
        return Started(notebook, "same")
    if base is not None and cells.fingerprint(base) == cells.fingerprint(new):
        return Started(notebook, "same")
    if base is not None and cells.texts(mine) == cells.texts(base):
        return _refresh(notebook, base_file, text)
    if not update:
        return Started(notebook, "outdated")
    merged, report = carryover.merge(base, mine, new)
    saved = _replace(notebook, cells.dumps(merged, like=text))
    cells.write(base_file, text)
    return Started(notebook, "updated", saved, report)


def _refresh(notebook: Path, base_file: Path, text: str) -> Started:
    """Replace a copy in which nothing was typed. If it was run, its outputs go into a backup."""
    ran = notebook.read_bytes() != base_file.read_bytes()
    saved = _replace(notebook, text, keep=ran)
    cells.write(base_file, text)
    return Started(notebook, "refreshed", saved)


def _replace(notebook: Path, text: str, keep: bool = True) -> Path | None:
    """Put `text` in the place of what is there, which goes into a backup if `keep`.

    Raises:
        OSError: it cannot be written. Then the notebook is as it was, and no backup is left behind.
    """
    saved = back_up(notebook) if keep else None
    try:
        cells.write(notebook, text)
    except OSError:
        if saved:
            with contextlib.suppress(OSError):
                saved.unlink()
        raise
    return saved


def _read_base(base_file: Path) -> dict | None:
    """The release that a copy came from; None where it was not kept, or is damaged."""
    try:
        return cells.read(base_file)
    except (CourseError, OSError):
        return None


def reset(lab: Lab, exercise: str | None = None) -> Path:
    """Put one exercise, or the whole lab, back to its empty form, and hand back the backup.

    Raises:
        CourseError: the lab was not started, or has no such exercise.
    """
    notebook = lab.notebook("work")
    if not notebook.exists():
        raise CourseError(f"lab {lab.id} is not started, so there is nothing to reset: run `flipbook start {lab.id}`.")
    text = copy_of(lab.notebook("labs"), notebook)
    release = cells.parse(text, lab.notebook("labs"))
    names = list(cells.exercises(release))
    if exercise is None:
        saved = _replace(notebook, text)
        cells.write(base_of(notebook), text)
    else:
        exercise = named_exercise(lab, exercise, names)
        names = [exercise]
        mine = cells.read(notebook)
        before = notebook.read_text(encoding="utf-8")
        carryover.restore(mine, release, exercise)
        saved = _replace(notebook, cells.dumps(mine, like=before))
    _note_reset(lab, names)
    return saved


def named_exercise(lab: Lab, name: str, names: list[str] | None = None) -> str:
    """The exercise that a person means by its name or its number within the lab.

    Raises:
        CourseError: there is none; the message lists the lab's exercises.
    """
    names = names if names is not None else list(cells.exercises(cells.read(lab.notebook("labs"))))
    if name.isdigit() and 1 <= int(name) <= len(names):
        return names[int(name) - 1]
    if name not in names:
        guess = did_you_mean(name, names)
        raise CourseError(f"lab {lab.id} has no exercise {name!r}.{guess} Its exercises are: {', '.join(names)}.")
    return name


def back_up(notebook: Path) -> Path:
    """Copy a notebook of `work/` into `work/backups/`, under a name that says when."""
    work = paths.root() / "work"
    folder = work / "backups" / notebook.parent.relative_to(work)
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{notebook.stem}.{datetime.now():%Y-%m-%d-%H%M%S}"
    count = 1
    while True:
        target = folder / f"{stamp}{'' if count == 1 else f'-{count}'}{notebook.suffix}"
        try:
            target.open("xb").close()  # the name is ours
        except FileExistsError:
            count += 1
            continue
        try:
            files.write_bytes(target, notebook.read_bytes())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target


def base_of(notebook: Path) -> Path:
    """Where the release that `notebook` was copied from is kept."""
    return paths.state_dir() / "releases" / notebook.relative_to(paths.root() / "work")


def copy_of(release: Path, notebook: Path) -> str:
    """The release's text as it belongs into `notebook`.

    Relative links point from there to what they point to now, those to a lab or a tutorial to the learner's copy of
    it. Code cells stay as they are. The kernel is described as this environment's kernel describes itself: JupyterLab
    writes that into every notebook on opening it, and would show one that no one touched as changed and unsaved.
    """
    text = release.read_text(encoding="utf-8")

    def moved(match: re.Match) -> str:
        here = Path(os.path.normpath(release.parent / match[2]))
        if not here.exists():
            return match[0]
        return match[1] + Path(os.path.relpath(copied_to(here), notebook.parent)).as_posix()

    content = cells.parse(text, release)
    for cell in content["cells"]:
        old = cells.source(cell)
        new = LINK.sub(moved, old) if cell.get("cell_type") == "markdown" else old
        if new != old:
            cells.set_source(cell, new)
    content.setdefault("metadata", {}).update(kernelspec=KERNELSPEC, language_info=LANGUAGE)
    return cells.dumps(content, like=text)


def copied_to(path: Path) -> Path:
    """Where the learner's copy of a file of the course stands; the file itself when it is not copied."""
    root = paths.root()
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if len(parts) == 3 and path.suffix == ".ipynb" and parts[0] in ("labs", "phases"):
        return root / "work" / parts[1] / ("tutorials" if parts[0] == "phases" else "") / parts[2]
    return path


def shown(path: Path) -> str:
    """A path as a person types it from the course's folder."""
    return path.relative_to(paths.root()).as_posix() if path.is_relative_to(paths.root()) else str(path)


def _note_start(lab: Lab) -> None:
    progress.note(lambda data: progress.lab_record(data, lab.id).setdefault("started", progress.now()))


def _note_reset(lab: Lab, names: list[str]) -> None:
    def change(data: dict) -> None:
        for name in names:
            if name in progress.lab_record(data, lab.id)["exercises"]:
                progress.exercise_record(data, lab.id, name).update(status="todo", earned=0.0, tests={})

    progress.note(change)
