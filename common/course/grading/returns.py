"""Answers must give back plain values: an object that calls itself equal to everything would pass any comparison."""

import functools
import types
from dataclasses import is_dataclass

COMPARING = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__contains__", "__class__"}
COMPARING |= {"__torch_function__", "__torch_dispatch__", "__array_function__", "__array_ufunc__"}
VALUES = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
HARMLESS = {
    "__new__",
    "__init__",
    "__repr__",
    "__str__",
    "__module__",
    "__doc__",
    "__qualname__",
    "__dict__",
    "__slots__",
}
HARMLESS |= {"__annotations__", "__weakref__", "__match_args__", "__orig_bases__", "__getnewargs__", "__replace__"}
LOOK_INTO = (list, tuple, set, frozenset)
MANY = 1000  # entries of a list that are looked at


class NotPlain(AssertionError):
    """An answer gave back an object of a class that decides itself what it is equal to."""


def guard(module: types.ModuleType, names: list[str]) -> None:
    """Make the learner's functions of these names check what they give back."""
    for name in names:
        function = vars(module).get(name)
        if isinstance(function, types.FunctionType):
            setattr(module, name, _checked(function, name, vars(module)))


def _checked(function, name: str, namespace: dict):
    @functools.wraps(function)
    def checked(*args, **kwargs):
        value = function(*args, **kwargs)
        _require_plain(value, name, namespace)
        return value

    return checked


def _require_plain(value, name: str, namespace: dict, depth: int = 0) -> None:
    kind = type(value)
    if kind in LOOK_INTO and depth < 3:
        for entry in list(value)[:MANY]:
            _require_plain(entry, name, namespace, depth + 1)
    elif kind.__module__ not in ("builtins", "torch", "numpy") and _decides_for_itself(kind, namespace):
        raise NotPlain(
            f"`{name}` gave back an object of the notebook's own class `{kind.__name__[:60]}`, which decides itself "
            "what it is equal to: give back a plain value"
        )


def _decides_for_itself(kind: type, namespace: dict) -> bool:
    """Whether one of the notebook's own classes gives this kind its comparisons, or bends those of a plain value."""
    is_value = issubclass(kind, VALUES) or any(base.__name__ in ("Tensor", "ndarray") for base in kind.__mro__)
    for base in kind.__mro__:
        if not _from_notebook(base, namespace):
            continue
        special = {name for name in vars(base) if name.startswith("__") and name.endswith("__")}
        if special & COMPARING and not is_dataclass(base):
            return True
        if is_value and special - HARMLESS:
            return True
    return False


def _from_notebook(kind: type, namespace: dict) -> bool:
    functions = [value for value in vars(kind).values() if isinstance(value, types.FunctionType)]
    return kind.__module__ == namespace.get("__name__") or any(f.__globals__ is namespace for f in functions)
