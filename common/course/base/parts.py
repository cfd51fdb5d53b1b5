"""The parts of the library that exercises ask for, as live objects: found, and exchanged wherever the library uses one.

An exchange rebinds names. Every module-level name in a loaded `common.*` module that holds the old object gets the new
one. At the end the old one is back everywhere, also in a module that was first imported meanwhile and picked the new
one up.
"""

import contextlib
import functools
import importlib
import sys
from dataclasses import dataclass

from common.course.base.paths import Lab


@dataclass(frozen=True)
class Part:
    """A part of the library that an exercise asks for."""

    lab: Lab
    exercise: str
    library: str  # "common.video.sampling:sample_clip"
    blank: tuple[str, ...] = ()  # the methods that the learner writes, when the part is a class

    def find(self) -> object:
        """The library object."""
        return find(self.library)

    @property
    def public_name(self) -> str:
        """The name by which people import it: the shortest package that hands it on."""
        target = self.find()
        module, name = self.library.split(":")
        packages = module.split(".")
        for length in range(2, len(packages)):
            package = sys.modules.get(".".join(packages[:length]))
            if package is not None and vars(package).get(name) is target:
                return f"{package.__name__}.{name}"
        return f"{module}.{name}"


def find(library: str) -> object:
    """The object that stands at `module:name` at this moment (inside an exchange: the exchanged one)."""
    module, name = library.split(":")
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


def is_library(module: str) -> bool:
    """Whether a module of this name belongs to the library: it is in `common`, and no part of the course machine."""
    return module.startswith("common.") and not module.startswith("common.course")


def library_modules() -> list:
    """Every module of the library that is loaded."""
    # Thousands of modules are loaded, and this is asked three times per test: the quick look first.
    return [module for name, module in list(sys.modules.items()) if name.startswith("common.") and is_library(name)]


def exchange(pairs: list[tuple[object, object]], undo: contextlib.ExitStack) -> None:
    """For each `(old, new)`, let `new` stand wherever the library holds `old`, until `undo` is closed."""
    places: list[tuple[object, str, object]] = []
    undo.callback(_put_back, pairs, places)
    replacement = {id(old): new for old, new in pairs}
    for module in library_modules():
        for name, value in list(vars(module).items()):
            if id(value) in replacement:
                places.append((module, name, value))
                setattr(module, name, replacement[id(value)])


def _put_back(pairs: list[tuple[object, object]], places: list[tuple[object, str, object]]) -> None:
    original = {id(new): old for old, new in pairs}
    for module in library_modules():
        for name, value in list(vars(module).items()):
            if id(value) in original:
                setattr(module, name, original[id(value)])
    for module, name, value in places:  # last: two parts may have been exchanged for one object
        setattr(module, name, value)
