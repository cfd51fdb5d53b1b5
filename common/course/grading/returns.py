"""Make the learner's functions check what they give back, for tests that call them without the toolkit."""

import functools
import types
from collections.abc import Iterator

from common.course.checking.plain_values import require_plain

MANY = 200  # values that are looked into, and parts of each
HOLDERS = (list, tuple, set, frozenset)


def guard(module: types.ModuleType, names: list[str], given: set[int]) -> None:
    """Make the learner's functions of these names check what they give back.

    Into `given` go the identities of functions that a test gives to a generator, which may call them later.
    """
    for name in names:
        function = vars(module).get(name)
        if type(function) is types.FunctionType:
            setattr(module, name, _checked(function, name, given))


def _checked(function, name: str, given: set[int], require=require_plain, kind=type, generator=types.GeneratorType):
    @functools.wraps(function)
    def checked(*args, **kwargs):
        value = function(*args, **kwargs)
        if kind(value) is generator:
            given.update(map(id, functions_in(args, kwargs)))
        require(value, f"`{name}`")
        return value

    return checked


def functions_in(*values) -> Iterator[types.FunctionType]:
    """The functions in values: themselves, or in what they hold, the nearest first."""
    waiting = list(values)
    for number, value in enumerate(waiting):  # which grows meanwhile
        kind = type(value)
        if kind is types.FunctionType:
            yield value
        if number >= MANY or kind in (type, types.FunctionType, types.ModuleType):
            continue
        if kind is dict:
            waiting += list(value.values())[:MANY]
        elif kind in HOLDERS:
            waiting += list(value)[:MANY]
        elif kind is functools.partial:
            waiting += [value.func, value.args, value.keywords]
        elif kind is types.MethodType:
            waiting.append(value.__self__)
        else:
            waiting += list(getattr(value, "__dict__", {}).values())[:MANY]
