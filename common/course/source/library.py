"""The library's modules as text and syntax trees. Nothing here imports the module it looks at."""

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.source.percent import shown

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def library_root() -> Path:
    """The folder that holds `common/`: the course's own, or where this package was imported from."""
    here = paths.root()
    return here if (here / "common").is_dir() else Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Module:
    """One module of the library. `names` maps what it binds at its top level to the statement that does."""

    name: str
    path: Path
    text: str

    def error(self, message: str, line: int = 1) -> CourseError:
        return CourseError(f"{shown(self.path)}:{line}: {message}")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise self.error(f"{error.msg}", error.lineno or 1) from None

    @cached_property
    def names(self) -> dict[str, ast.stmt]:
        found: dict[str, ast.stmt] = {}
        for node in _top_level(self.tree.body):
            for name in _bound(node):
                found[name] = node
        return found

    @cached_property
    def rebound(self) -> set[str]:
        """Names that some function of the module rebinds with `global`."""
        return {name for node in ast.walk(self.tree) if isinstance(node, ast.Global) for name in node.names}


def find_module(name: str, library: Path | None = None) -> Module | None:
    """The module with this dotted name below `library`, or None when there is no such file."""
    base = (library or library_root()).joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return _module(name, path, path.stat().st_mtime_ns)
    return None


@lru_cache(maxsize=512)
def _module(name: str, path: Path, _mtime: int) -> Module:
    return Module(name, path, path.read_text(encoding="utf-8"))


def _top_level(body: list[ast.stmt]):
    """Statements that run when the module is imported, those inside `if` and `try` too."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            for field in ("body", "orelse", "finalbody"):
                yield from _top_level(getattr(node, field, []))
            for handler in getattr(node, "handlers", []):
                yield from _top_level(handler.body)


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, Definition):
        return [node.name]
    if isinstance(node, ast.Import):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign):
        return [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def origin(module: Module, name: str, library: Path | None = None) -> tuple[str, str] | None:
    """Where a name of a module is really defined, as (module, name): follows imports inside the library."""
    seen = set()
    while (module.name, name) not in seen:
        seen.add((module.name, name))
        node = module.names.get(name)
        if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
            return (module.name, name) if node is not None else None
        name = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
        following = find_module(node.module, library)
        if following is None or name not in following.names:
            return (node.module, name)
        module = following
    return None


def first_line(node: ast.stmt) -> int:
    """The first line of a statement, its decorators included."""
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])


def last_line(module: Module, node: ast.stmt) -> int:
    """The last line of a definition, comments at its end included: they may tell the answer."""
    last = node.end_lineno
    for number in range(node.end_lineno + 1, len(module.lines) + 1):
        line = module.lines[number - 1]
        if line.strip():
            if not line.lstrip().startswith("#") or len(indent_of(line)) <= node.col_offset:
                break
            last = number
    return last


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
