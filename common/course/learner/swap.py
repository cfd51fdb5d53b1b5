"""The learner's own parts at work inside the library: what `--mine` does.

    with swap.mine() as report:
        run_show("clip.mp4")          # samples frames with the learner's `sample_clip`, where they have written it
    print(report)

A swap rebinds names (`base.parts`), and gives the library its own parts back at the end, also after an exception.
What a swap cannot reach are other places that hold the object: a closure, a default argument, an element of a list, an
instance that exists already. Two kinds of use are refused and say why: a class that other library classes are built
on (their bases were fixed when they were defined), and saving a model while its class is the learner's (no one else
could load the file). The names belong to the whole process, so use one `with` block at a time, or nest them.

The library knows nothing of all this.
"""

import contextlib
import dis
import inspect
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

import click

from common.course.base import paths
from common.course.base.parts import Part, exchange, find
from common.course.base.paths import CourseError, Lab
from common.course.checking import loader
from common.course.learner import progress
from common.course.source import lab_source

LEARNERS_FRAME = re.compile(r"<(?P<lab>\d\d\.\d+) (?P<exercise>.+)>")  # the loader's file name for an exercise's cell

NOT_STARTED = "not started"


@dataclass
class Ownership:
    """Whose version of a part runs; why it is not the learner's, or what there is to know about theirs."""

    part: Part
    yours: bool
    why: str = ""

    def __str__(self) -> str:
        whose = "yours" if self.yours else "library"
        return f"{whose} ({self.why})" if self.why else whose

    def is_code_of(self, code: CodeType) -> bool:
        """Whether this function, or this method, is of the version that runs."""
        if self.yours:
            return code.co_filename == f"<{self.part.lab.id} {self.part.exercise}>" and code.co_name != "<module>"
        module, _, name = self.part.library.partition(":")
        file = getattr(sys.modules.get(module), "__file__", None)
        return code.co_filename == file and code.co_qualname.split(".")[0] == name


@dataclass
class Report:
    """Whose parts run, in course order."""

    rows: list[Ownership] = field(default_factory=list)

    @property
    def yours(self) -> list[str]:
        """The exercises whose answers are running."""
        return [row.part.exercise for row in self.rows if row.yours]

    @property
    def in_place(self) -> str:
        """One line before the work begins."""
        return f"your parts are in place: {', '.join(self.yours)}" if self.yours else "none of your parts is in place"

    def of(self, called: set[CodeType]) -> "Report":
        """Of the parts that were called; `called` is what `calls` gave."""
        return Report([row for row in self.rows if any(row.is_code_of(code) for code in called)])

    def __str__(self) -> str:
        width = max((len(row.part.exercise) for row in self.rows), default=0)
        if not self.rows:
            return "  all are the library's"
        return "\n".join(f"  {row.part.lab.id}  {row.part.exercise:{width}}  {row}" for row in self.rows)


@contextlib.contextmanager
def calls() -> Iterator[set[CodeType]]:
    """What is called inside the block, in this thread and in those that it starts.

    From Python 3.12 on that costs next to nothing. Before, every call is looked at: Python is slower meanwhile.
    """
    seen: set[CodeType] = set()
    monitoring = getattr(sys, "monitoring", None)
    free = [tool for tool in range(6) if monitoring.get_tool(tool) is None] if monitoring else []
    with _each_first_call(free[-1], seen) if free else _every_call(seen):
        yield seen


@contextlib.contextmanager
def _each_first_call(tool: int, seen: set[CodeType]) -> Iterator[None]:
    def look(code, offset):
        seen.add(code)
        return sys.monitoring.DISABLE  # for this code alone

    sys.monitoring.use_tool_id(tool, "flipbook --mine")
    try:
        sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, look)
        sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
        sys.monitoring.restart_events()
        yield
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)


@contextlib.contextmanager
def _every_call(seen: set[CodeType]) -> Iterator[None]:
    def look(frame, event, _):
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def parts(labs: list[Lab] | None = None) -> list[Part]:
    """Every library part that an exercise of these labs (of all built labs, when None) asks for, in course order."""
    return [part for lab in (paths.all_labs() if labs is None else labs) for part in lab_source.parts(lab)]


@contextlib.contextmanager
def swapped(library: str, replacement: object) -> Iterator[None]:
    """Let `replacement` stand wherever the library holds its own `module:name`, until the block ends.

    Raises:
        CourseError: the part cannot be swapped; the message says why.
    """
    original = find(library)
    reason = refusal(original)
    if reason:
        raise CourseError(f"{library} cannot be swapped: {reason}")
    with _saving_refused(replacement), contextlib.ExitStack() as undo:
        exchange([(original, replacement)], undo)
        yield


def refusal(original: object) -> str:
    """Why this part cannot be swapped; empty when it can."""
    if isinstance(original, type):
        built_on_it = [cls.__name__ for cls in original.__subclasses__() if cls.__module__.startswith("common.")]
        if built_on_it:
            return f"{', '.join(built_on_it)} is built on it, and a base class is fixed once the class exists"
    return ""


@contextlib.contextmanager
def _saving_refused(replacement: object) -> Iterator[None]:
    """While a learner's model class is swapped in, `save_pretrained` says why it will not save."""
    if not (isinstance(replacement, type) and hasattr(replacement, "save_pretrained")):
        yield
        return

    def refuse(self, *args, **kwargs):
        raise CourseError(
            f"a model with your own {replacement.__name__} in it is not saved: the file would name a class that only "
            "your notebook has. Save its state_dict(), or save without --mine: the weights fit the library's class."
        )

    own = vars(replacement).get("save_pretrained")
    replacement.save_pretrained = refuse
    try:
        yield
    finally:
        if own is None:
            del replacement.save_pretrained
        else:
            replacement.save_pretrained = own


@contextlib.contextmanager
def mine(labs: list[Lab] | None = None, *, saves: bool = False) -> Iterator[Report]:
    """Run the block on the learner's parts, wherever `work/` holds one that is written and loads.

    Args:
        labs: the labs whose parts may be swapped, or None for all.
        saves: whether models are saved inside the block. Their own classes stay the library's then, whatever is
            written: a file that names a learner's class could be read by no one else.

    Raises:
        CourseError: a learner's part crashed inside the block; the message names the exercise and the line.
    """
    wanted = parts(labs)
    report = Report()
    with contextlib.ExitStack() as swaps:
        for lab in dict.fromkeys(part.lab for part in wanted):
            for row, answer in _answers(lab, [part for part in wanted if part.lab == lab], saves):
                report.rows.append(row)
                if row.yours:
                    swaps.enter_context(swapped(row.part.library, answer))
        try:
            yield report
        except Exception as error:
            explanation = explain_crash(error, report)
            if not explanation:
                raise
            raise CourseError(explanation) from error


def _answers(lab: Lab, wanted: list[Part], saves: bool) -> list[tuple[Ownership, object]]:
    """The learner's versions of these parts. What is missing in the notebook is filled in from the library."""
    notebook = lab.notebook("work")
    if not notebook.exists():
        return [(Ownership(part, False, NOT_STARTED), None) for part in wanted]
    try:
        module = loader.load(notebook, lab.id)
    except (OSError, ValueError, CourseError) as error:
        return [(Ownership(part, False, f"{notebook.name} cannot be read: {error}"), None) for part in wanted]

    found = []
    for part in wanted:
        answer, why = _one_answer(module, part)
        if not why and saves and hasattr(part.find(), "save_pretrained"):
            why = "a trained model is saved, so its class stays the library's"
        found.append((Ownership(part, not why, why or _last_check(part)), answer))
    for row, _ in found:
        if not row.yours:
            setattr(module, row.part.exercise, row.part.find())
    return found


def _one_answer(module, part: Part) -> tuple[object, str]:
    """The learner's version of one part, or why it is not used."""
    try:
        answer = getattr(module, part.exercise)
    except Exception as error:  # the loader's own account of what is missing, and why
        if isinstance(error.__cause__, NotImplementedError):
            return None, "not written yet"
        return None, f"does not load: {' '.join(str(error).split())}"
    original = part.find()
    if not is_written(answer, part.blank):
        return None, "not written yet"
    if str(getattr(answer, "__module__", "")).startswith("common."):
        return None, "your notebook imports the library's"
    if isinstance(original, type) is not isinstance(answer, type) or not callable(answer):
        kind = "class" if isinstance(original, type) else "function"
        return None, f"does not load: it should be a {kind}, not a {type(answer).__name__}"
    return answer, refusal(original)


def _last_check(part: Part) -> str:
    """What the learner's last check of this part found; empty when it passed."""
    status = progress.exercise_of(progress.load(), part.lab.id, part.exercise).get("status")
    if status is None:
        return "not checked yet"
    return "" if status == "pass" else f"its last check: {status}"


def is_written(answer: object, blank: tuple[str, ...] = ()) -> bool:
    """Whether nothing of this function, or of these methods of a class, still raises NotImplementedError."""
    if isinstance(answer, type):
        pieces = [vars(answer).get(name) for name in (blank or vars(answer))]
    else:
        pieces = [answer]
    return not any(_raises_not_implemented(piece) for piece in pieces)


def _raises_not_implemented(piece: object) -> bool:
    code = getattr(inspect.unwrap(getattr(piece, "__func__", piece)), "__code__", None)
    if code is None:
        return False
    return any(step.argval == "NotImplementedError" for step in dis.get_instructions(code))


def explain_crash(error: Exception, report: Report) -> str:
    """What to tell a learner whose part crashed; empty when no part of theirs had to do with it."""
    from common.video.errors import VideoError

    bad_file = isinstance(error, VideoError) and not isinstance(error, IndexError)  # no one's bug, whoever was reading
    if bad_file or isinstance(error, CourseError):
        return ""
    worded = isinstance(error, click.ClickException)  # a command's own sentence, perhaps about what a part raised
    if worded and error.__cause__ is not None:
        error = error.__cause__
    every = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in every if LEARNERS_FRAME.fullmatch(frame.filename)]
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    if theirs:
        frame = theirs[-1]
        cell = LEARNERS_FRAME.fullmatch(frame.filename)
        refused = isinstance(error, ValueError) and frame is every[-1]  # their own `raise ValueError`
        line = f": `{frame.line}`" if frame.line else ""
        return (
            f"your `{cell['exercise']}` (lab {cell['lab']}) {'refused' if refused else 'stopped'} at line "
            f"{frame.lineno} of its cell{line}\n{what}\n`flipbook check {cell['lab']} {cell['exercise']}` says more. "
            "The same command without --mine runs on the library's parts."
        )
    if report.yours and not worded:
        return (
            f"the library stopped on what your parts ({', '.join(report.yours)}) handed to it\n{what}\n"
            "Check them with `flipbook check`. The same command without --mine runs on the library's parts."
        )
    return ""
