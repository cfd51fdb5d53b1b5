"""While a check runs, the library's own version of the learner's part is out of reach.

The bodies of the parts that a lab asks for are replaced by a refusal, and library code that uses such a part gets the
learner's instead. Everything is put back when the check ends.
"""

import contextlib
import functools
import inspect
import sys

from common.course.base.parts import Part, exchange, is_library
from common.course.base.paths import Lab
from common.course.checking.loader import Cell, namespace_of
from common.course.errors import AnswerKeyUsed
from common.course.source import lab_source


def refuse(part: str):
    """Raise the refusal for a library part such as `common.video.even_indices`."""
    raise AnswerKeyUsed.of(part)


def parts_of(lab: Lab, cells: list[Cell] | None = None) -> list[Part]:
    """The library parts of a lab: from its source, or (in a sandbox without solutions) from a notebook's metadata."""
    if lab.source.exists():
        parts = lab_source.parts(lab)
    else:
        asked = [(cell.exercise, *_named_in(cell)) for cell in cells or [] if cell.exercise]
        parts = [Part(lab, name, library, blank) for name, library, blank in asked if library]
    # A notebook's metadata are a stranger's: they may close parts of the library, never of this machinery.
    return [part for part in parts if is_library(part.library)]


def _named_in(cell: Cell) -> tuple[str, tuple[str, ...]]:
    flipbook = (cell.metadata or {}).get("flipbook", {})
    library, blank = flipbook.get("from", ""), flipbook.get("blank") or ()
    library = library if isinstance(library, str) and library.count(":") == 1 else ""
    blank = blank.split(",") if isinstance(blank, str) else blank
    return library, tuple(str(name).strip() for name in blank)


class AnswerKey:
    """A context manager: inside it the parts are closed; `serve(module)` gives library code the learner's."""

    def __init__(self, parts: list[Part]):
        self.parts = parts
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        try:
            for part in self.parts:
                with contextlib.suppress(ImportError, AttributeError):
                    self._close(part)
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _close(self, part: Part) -> None:
        target, name = part.find(), part.public_name
        for function in _functions(target, part.blank):
            self._undo.callback(setattr, function, "__code__", function.__code__)
            function.__code__ = _refusal(function.__code__.co_freevars, name)

    def serve(self, module) -> None:
        """Bind the learner's parts, where they are written, in every loaded library module that uses the library's."""
        pairs = []
        for part in self.parts:
            try:
                original, own = part.find(), getattr(module, part.exercise)
            except Exception:  # missing or crashed: the library's part stays closed
                continue
            if own is original or not callable(own):
                continue
            served = own if isinstance(own, type) else _for_library_only(own, part.public_name, namespace_of(module))
            pairs.append((original, served))
        exchange(pairs, self._undo)


def _functions(target, blank: tuple[str, ...]) -> list:
    """The plain functions whose bodies make up a part."""
    if not isinstance(target, type):
        return [f for f in [inspect.unwrap(target)] if inspect.isfunction(f)]
    members = [vars(target)[name] for name in blank or vars(target) if name in vars(target)]
    unpacked = []
    for member in members:
        if isinstance(member, property):
            unpacked += [f for f in (member.fget, member.fset, member.fdel) if f]
        else:
            unpacked.append(inspect.unwrap(getattr(member, "__func__", member)))
    return [f for f in unpacked if inspect.isfunction(f) and f.__module__ == target.__module__]


@functools.cache
def _refusal(free: tuple[str, ...], name: str):
    """Code that refuses, with these free variables (a method that calls `super()` has one)."""
    lines = ["def around():"]
    lines += [f"    {variable} = None" for variable in free]
    lines += ["    def refused(*args, **kwargs):", *([f"        {', '.join(free)}"] if free else [])]
    lines += [f"        from common.course.checking.off_limits import refuse; refuse({name!r})", "    return refused"]
    namespace: dict = {}
    exec(compile("\n".join(lines), "<off limits>", "exec", dont_inherit=True), namespace)
    return namespace["around"]().__code__


def _for_library_only(own, name: str, learner_globals: dict):
    """The learner's function as the library sees it. A learner's cell that reaches for it here is refused."""

    @functools.wraps(own)
    def served(*args, **kwargs):
        if sys._getframe(1).f_globals is learner_globals:
            refuse(name)
        return own(*args, **kwargs)

    return served
