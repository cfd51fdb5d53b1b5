"""Turn a lab notebook into a module, running only what a check needs.

Cells tagged `setup` or `exercise` run in full; cells tagged `check` or `demo` never run. Any other code cell (a
learner's own, or a notebook whose tags an editor dropped) gives its imports, definitions and constants, and whatever
else an answer's names need (`needed`), so a training loop left in one costs nothing. Cells have the kernel's names and
syntax: `display`, `get_ipython`, top-level `await`.
"""

import ast
import asyncio
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import linecache
import re
import sys
import types
from dataclasses import dataclass, replace
from pathlib import Path

from common.course.base.paths import CourseError
from common.course.checking.explain import CellFailed, NotDefined, describe
from common.course.checking.needed import needed
from common.files import reason

RUN_IN_FULL = {"setup", "exercise"}
NEVER_RUN = {"check", "demo", "grading-skip"}
# `%time x`, `!ls`, `files = !ls`, `?name` and `name?`, at any indentation
MAGIC_LINE = re.compile(r"(?m)^([ \t]*)(?:(?:[\w, ]+=\s*)?[%!].*|\?{1,2}[\w.]+|[\w.]+\?{1,2})$")
DEFERRED = {"matplotlib.pyplot"}
TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# What a kernel has beside the builtins, where nothing is shown and nothing is asked.
KERNEL_NAMES = {"display": lambda *args, **kwargs: None, "get_ipython": lambda: None, "In": [""], "Out": {}}
PYTHON_CELL_MAGICS = {"time", "timeit", "capture", "prun"}
CONSTANT_NODES = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.Lambda)
CONSTANT_NODES += (ast.Name, ast.Attribute, ast.operator, ast.unaryop, ast.expr_context)


@dataclass(frozen=True)
class Cell:
    """One code cell. `exercise` is the name of the exercise it answers, or empty."""

    label: str
    source: str
    tags: frozenset = frozenset()
    exercise: str = ""
    metadata: dict | None = None


class LabModule(types.ModuleType):
    """The learner's names. A missing one says why it is missing."""

    def __getattr__(self, name):  # called only when the name is not there
        if name.startswith("__"):
            raise AttributeError(name)
        failed = self.__dict__.get("_failed_cells", {})
        reasons = [
            f"the cell `{label}` did not run: {describe(exc, self.__dict__)}" for label, (exc, _) in failed.items()
        ]
        for label, (exc, defines) in failed.items():
            if name in defines:
                earlier = reasons[: list(failed).index(label)][:1]
                raise CellFailed("\nbefore that, ".join([reasons[list(failed).index(label)], *earlier])) from exc
        lost = f"`{name}` is not in the notebook: put its definition back, then save"
        raise NotDefined("\n".join([lost, *reasons[:2]]))


class LiveModule(LabModule):
    """The running kernel's names, seen through the same interface."""

    def __init__(self, namespace: dict):
        super().__init__("lab")
        self.__dict__["_namespace"] = namespace

    def __getattribute__(self, name):
        if not name.startswith("_"):
            namespace = object.__getattribute__(self, "__dict__")["_namespace"]
            if name in namespace:
                return namespace[name]
        return super().__getattribute__(name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotDefined(f"`{name}` does not exist yet: run the cell that defines it, then this one again")


def namespace_of(module) -> dict:
    """The globals of the learner's functions."""
    return module.__dict__.get("_namespace", module.__dict__)


def read_cells(path) -> list[Cell]:
    """The code cells of a notebook, in order.

    Raises:
        CourseError: the file is missing or is not a notebook.
    """
    path = Path(path)
    try:
        notebook = json.loads(path.read_bytes())  # UTF-8 with or without a mark, UTF-16 and UTF-32
        cells = [cell for cell in notebook["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    except FileNotFoundError:
        raise CourseError(f"there is no notebook {path}") from None
    except OSError as exc:
        raise CourseError(f"{path} cannot be read: {reason(exc)}") from None
    except (KeyError, TypeError, AttributeError):
        raise CourseError(f"{path} is not a readable notebook: it has no list of cells") from None
    except (ValueError, RecursionError) as exc:
        raise CourseError(
            f"{path} is not a readable notebook: {why_no_json(exc)}. Open it in JupyterLab and save it"
        ) from None
    return [_cell(number, cell) for number, cell in enumerate(cells, 1)]


def why_no_json(error: ValueError | RecursionError) -> str:
    """What is wrong with a file that `json` cannot read."""
    if isinstance(error, RecursionError):
        return "its JSON is nested too deeply"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "the file does not hold readable JSON"
    return "its JSON has a number with too many digits"


def replace_exercise(cells: list[Cell], exercise: str, source: str) -> list[Cell]:
    """The same notebook with another answer in the cell of `exercise`.

    Raises:
        CourseError: no cell answers this exercise.
    """
    if not any(cell.exercise == exercise for cell in cells):
        raise CourseError(f"no cell of this notebook answers {exercise!r}")
    return [replace(cell, source=source) if cell.exercise == exercise else cell for cell in cells]


def load(path, lab_id: str) -> LabModule:
    """The notebook at `path` as a module."""
    return load_cells(read_cells(path), lab_id, file=str(path))


def load_cells(cells: list[Cell], lab_id: str, file: str = "") -> LabModule:
    """A list of cells as a module. A cell that crashes is remembered; later cells may still be right."""
    module = LabModule("lab_" + lab_id.replace(".", "_"))
    module.__file__ = file or None
    module._failed_cells = {}
    sys.modules[module.__name__] = module  # dataclasses, pickle and inspect look here
    vars(module).update(KERNEL_NAMES)
    parsed = [(cell, _parsed(cell, lab_id, module)) for cell in cells if not cell.tags & NEVER_RUN]
    wanted = _wanted([(cell, tree) for cell, tree in parsed if tree is not None])
    module._left_out = [part for cell, tree in parsed if tree is not None for part in _left_out(cell, tree, wanted)]
    with _deferred_imports():
        for cell, tree in parsed:
            if tree is not None:
                _run_cell(cell, tree, wanted, lab_id, module)
    return module


def _wanted(parsed: list[tuple[Cell, ast.Module]]) -> set[ast.stmt]:
    """The statements of untagged cells that answers need beside imports, definitions and constants."""
    answers = [tree for cell, tree in parsed if cell.tags & RUN_IN_FULL]
    own = [node for cell, tree in parsed if not cell.tags & RUN_IN_FULL for node in tree.body]
    return {own[i] for i in needed(own, answers)}


class _Deferring(importlib.abc.MetaPathFinder):
    """Finds a deferred module as one that is loaded when it is first used."""

    def find_spec(self, name, path, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name in DEFERRED else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def _deferred_imports():
    """Every setup cell imports pyplot and no grader plots: a third of torch's own import time is saved."""
    finder = _Deferring()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _cell(number: int, cell: dict) -> Cell:
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    flipbook = metadata.get("flipbook") if isinstance(metadata.get("flipbook"), dict) else {}
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else []  # what is neither text nor a list of lines is nothing
    source = source if isinstance(source, str) else "".join(map(str, lines))
    tags = metadata.get("tags") if isinstance(metadata.get("tags"), list) else []
    tags = {tag for tag in tags if isinstance(tag, str)}
    exercise = flipbook.get("exercise") if isinstance(flipbook.get("exercise"), str) else ""
    if exercise:
        tags.add("exercise")
    if "check" in flipbook:
        tags.add("check")
    return Cell(exercise or f"cell {number}", source, frozenset(tags), exercise, metadata)


def _parsed(cell: Cell, lab_id: str, module: LabModule) -> ast.Module | None:
    """The cell's syntax tree; None where it is none, which is remembered."""
    filename = f"<{lab_id} {cell.label}>"
    linecache.cache[filename] = (len(cell.source), None, cell.source.splitlines(keepends=True), filename)
    try:
        return parse(cell.source, filename)
    except (SyntaxError, ValueError, RecursionError) as exc:
        module._failed_cells[cell.label] = (exc, _names_defined(cell.source) | {cell.exercise})
        return None


def _run_cell(cell: Cell, tree: ast.Module, wanted: set[ast.stmt], lab_id: str, module: LabModule) -> None:
    for part in [tree] if cell.tags & RUN_IN_FULL else _definitions(tree, wanted):
        try:
            _execute(compile(part, f"<{lab_id} {cell.label}>", "exec", TOP_LEVEL_AWAIT, dont_inherit=True), module)
        except (Exception, SystemExit) as exc:
            module._failed_cells.setdefault(cell.label, (exc, _names_defined(cell.source) | {cell.exercise}))


def _execute(code: types.CodeType, module: LabModule) -> None:
    """Run compiled statements; with a top-level `await` they are a coroutine."""
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, module.__dict__))
    else:
        exec(code, module.__dict__)


def parse(source: str, filename: str) -> ast.Module:
    """The cell's syntax tree. Notebook magics count as `pass`, and so does a whole cell in another language."""
    cell_magic = re.match(r"\s*%%(\w+)", source)
    if cell_magic and cell_magic[1] not in PYTHON_CELL_MAGICS:
        return ast.parse("")
    try:
        return ast.parse(source, filename)
    except SyntaxError:
        return ast.parse(MAGIC_LINE.sub(r"\1pass", source), filename)


def _definitions(tree: ast.Module, wanted: set[ast.stmt]) -> list[ast.Module]:
    """What defines something at no cost, or is wanted, statement by statement: one that fails takes no other along."""
    return [ast.Module([node], []) for node in tree.body if node in wanted or _is_definition(node)]


def _left_out(cell: Cell, tree: ast.Module, wanted: set[ast.stmt]) -> list[tuple[str, str, ast.stmt]]:
    """What is not run of a cell of the learner's own, as (label, its first line, statement)."""
    if cell.tags & RUN_IN_FULL:
        return []
    lines = cell.source.splitlines()
    left = [node for node in tree.body if node not in wanted and not _is_definition(node)]
    return [(cell.label, lines[node.lineno - 1].strip(), node) for node in left if node.lineno <= len(lines)]


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        return isinstance(node.value, ast.Lambda) or all(isinstance(n, CONSTANT_NODES) for n in ast.walk(node.value))
    return False


def _names_defined(source: str) -> set[str]:
    """Names that a crashed cell would have defined; by pattern, because it may not even parse."""
    pattern = r"(?m)^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)"
    return {first or second for first, second in re.findall(pattern, source)}
