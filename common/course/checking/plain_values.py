"""Answers must give back plain values: an object that calls itself equal to everything would pass any comparison.

A value's class is known by identity: it is a library's own class, found under its name in that library, or else it is
the notebook's. The notebook's classes may be records and models, and never numbers, texts, lists, arrays or tensors.
"""

import sys
import types
from dataclasses import fields, is_dataclass

ARITHMETIC = ("abs neg pos invert round trunc floor ceil add sub mul matmul truediv floordiv mod divmod pow and or xor "
              "lshift rshift")  # fmt: skip
COMPARED = "eq ne lt le gt ge bool contains class float int index complex"
COMPARING = {f"__{name}__" for name in COMPARED.split()}
COMPARING |= {f"__{side}{name}__" for name in ARITHMETIC.split() for side in ("", "r", "i")}
COMPARING |= {"__torch_function__", "__torch_dispatch__", "__array_function__", "__array_ufunc__", "__array__"}
COMPARING |= {"__array_interface__", "__array_struct__", "__array_wrap__", "__dlpack__", "__getattr__"}
COMPARING |= {"__getattribute__", "__instancecheck__", "__subclasscheck__"}
NEEDED = "new init repr str module doc qualname dict slots annotations weakref match_args orig_bases getnewargs replace"
HARMLESS = {f"__{name}__" for name in f"{NEEDED} firstlineno static_attributes".split()}
VALUES = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
EXACT = frozenset([*VALUES, type(None), types.FunctionType, types.BuiltinFunctionType, types.GeneratorType, range])
LOOK_INTO = (list, tuple, set, frozenset, dict)
MANY = 1000  # entries of a list that are looked at
OWN = ("__main__", "lab")  # modules of notebooks, by the beginnings of their names
TOOLS = ("unittest", "pytest", "_pytest", "mock")
FLAGS, MADE_AT_RUN_TIME = type.__dict__["__flags__"], 1 << 9  # Py_TPFLAGS_HEAPTYPE: every class that Python code makes
STRUCTURES = ("torch.return_types", "time", "os", "posix", "sys")  # whose tuples with names no one can build on


class NotPlain(AssertionError):
    """An answer gave back an object of a class that decides itself what it is equal to."""


def require_plain(value, said: str, depth: int = 0) -> None:
    """Look at a value that an answer gave, and into the lists that it holds.

    Raises:
        NotPlain: it is of a class that only looks like a plain value.
    """
    kind = type(value)
    if kind not in EXACT:
        fault = _fault(value, kind)
        if fault:
            raise NotPlain(f"{said} gave back {fault}: give back a plain value")
    if depth < 4:
        for entry in _entries(value, kind)[:MANY]:
            require_plain(entry, said, depth + 1)


def _entries(value, kind: type) -> list:
    if kind in LOOK_INTO or issubclass(kind, tuple):
        return [*(value.values() if kind is dict else value)]
    return [getattr(value, part.name, None) for part in fields(value)] if is_dataclass(kind) else []


def _fault(value, kind: type) -> str:
    """What is wrong with a value, or an empty text."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    is_tensor = torch is not None and issubclass(kind, torch.Tensor)
    is_array = numpy is not None and issubclass(kind, numpy.ndarray)
    if not is_library(kind):
        named = f"an object of the notebook's own class `{kind.__name__[:60]}`, which "
        if is_tensor or is_array or (issubclass(kind, VALUES) and not _is_named_tuple(kind)):
            return f"{named}only looks like {_article(next(b for b in kind.__mro__ if is_library(b)))}"
        if decides_for_itself(kind):
            return f"{named}decides itself what it is equal to"
    if kind.__module__.startswith(TOOLS):
        return f"`{kind.__name__[:60]}`, a tool of tests"
    if is_tensor:
        changed = [name for name in vars(value) if hasattr(kind, name)]
        return f"a tensor with its own `{changed[0][:60]}`" if changed else ""
    if is_array and value.dtype.hasobject:
        return "an array of objects, not of numbers"
    return ""


def decides_for_itself(kind: type) -> bool:
    """Whether one of the notebook's own classes gives this kind its comparisons or its arithmetic."""
    plain = issubclass(kind, VALUES)
    for base in kind.__mro__:
        if is_library(base):
            continue
        special = {name for name in vars(base) if name.startswith("__") and name.endswith("__")}
        compared = special & COMPARING
        if is_dataclass(base):  # which writes its own comparisons
            compared = {name for name in compared if not _made(vars(base)[name])}
        if compared or (plain and special - HARMLESS):
            return True
    return False


def is_library(kind: type) -> bool:
    """Whether this very class is what its library calls by its name."""
    if not FLAGS.__get__(kind) & MADE_AT_RUN_TIME:
        return True  # compiled into Python or a library, such as `list_iterator`, which has no name anywhere
    module = kind.__module__
    if type(module) is not str or module.startswith(OWN):
        return False
    if module in STRUCTURES:
        return True
    found = sys.modules.get(module)
    if found is None:
        return False
    for name in kind.__qualname__.split("."):
        if name == "<locals>":  # made inside a function, a test's for example: known by where its methods are written
            return not any(type(v) is types.FunctionType and _of_cell(v) for v in vars(kind).values())
        found = getattr(found, name, None)
    return found is kind


def _made(function) -> bool:
    return type(function) is types.FunctionType and function.__code__.co_filename == "<string>"


def _of_cell(function) -> bool:
    return function.__code__.co_filename.startswith("<")


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields") and not decides_for_itself(kind)


def _article(kind: type) -> str:
    return f"{'an' if kind.__name__[0].lower() in 'aeiou' else 'a'} {kind.__name__}"
