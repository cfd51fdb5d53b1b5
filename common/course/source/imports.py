"""Which modules of the library a file needs, followed through their imports as text."""

import ast
from pathlib import Path

from common.course.source.library import Module, find_module

LEFT_OUT = "common.course"


def library_files(path: Path | None, extra: tuple[str, ...] = (), *, course: bool = False) -> list[Path]:
    """The files of all `common` modules that a Python file imports, directly or through another, sorted.

    Args:
        path: the file; None to start from `extra` alone.
        extra: names of modules to start from besides.
        course: whether the course machine is followed too.
    """
    waiting = [*extra, *(_imported(ast.parse(path.read_text(encoding="utf-8")), "") if path else [])]
    found: dict[str, Module] = {}
    while waiting:
        name = waiting.pop()
        if name in found or (not course and (name == LEFT_OUT or name.startswith(LEFT_OUT + "."))):
            continue
        module = find_module(name)
        if module is not None:
            found[name] = module
            package = name if module.path.name == "__init__.py" else name.rpartition(".")[0]
            waiting += _imported(module.tree, package)
    return sorted(module.path for module in found.values())


def _imported(tree: ast.Module, package: str) -> list[str]:
    """Every `common` module that a file may import, with the packages above it (their `__init__` runs too)."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    ours = [name for name in names if name.split(".")[0] == "common"]
    return [".".join(name.split(".")[: n + 1]) for name in ours for n in range(len(name.split(".")))]
