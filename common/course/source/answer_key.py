"""The library is the answer key: cuts the text of a part out of `common/`, and empties the bodies that answer it.

Everything works on text and syntax trees, so nothing of the part runs and its comments survive. Used by the build
(the text, its answers between solution markers) and by the graders' sandbox (a copy of the library with the answers
taken out).
"""

import ast
import hashlib
import shutil
import symtable
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.course.base.paths import CourseError, Lab
from common.course.errors import AnswerKeyUsed
from common.course.source import lab_source
from common.course.source import library as lib
from common.course.source.lab_source import Exercise
from common.course.source.library import Definition, Module, find_module, first_line, indent_of, last_line

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STAMP = ".answer-key"
UNNAMED = ("lambda", "genexpr", "listcomp", "setcomp", "dictcomp")  # what symtable calls them


@dataclass(frozen=True)
class Part:
    """A function or class of the library, cut out. `bodies` are the lines (first, last), 1-based, that answer it."""

    module: Module
    node: Definition
    bodies: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def first(self) -> int:
        return first_line(self.node)

    @property
    def last(self) -> int:
        return last_line(self.module, self.node)

    @property
    def text(self) -> str:
        return "\n".join(self.module.lines[self.first - 1 : self.last])

    @property
    def marked(self) -> str:
        """The text with every body that answers the exercise between nbgrader's solution markers."""
        starts = {start: _indent(self.module, start) for start, _ in self.bodies}
        ends = {end: starts[start] for start, end in self.bodies}
        lines = []
        for number in range(self.first, self.last + 1):
            if number in starts:
                lines.append(starts[number] + BEGIN)
            lines.append(self.module.lines[number - 1])
            if number in ends:
                lines.append(ends[number] + END)
        return "\n".join(lines)


def cut(exercise: Exercise, library: Path | None = None) -> Part:
    """The library part that answers an exercise.

    Raises:
        CourseError: no such module, name or method; or the part cannot be in a notebook (a closure, `global`,
            `from __future__`, a relative import).
    """
    module_name, name = exercise.library.split(":")
    module = find_module(module_name, library)
    if module is None:
        raise CourseError(f"the exercise {exercise.name} comes from {exercise.library}, and there is no {module_name}.")
    node = _definition(module, name)
    _refuse_module(module)
    _refuse_closures(module, node)
    return Part(module, node, tuple(bodies(module, node, exercise.blank)))


def _definition(module: Module, name: str) -> Definition:
    node = module.names.get(name)
    if isinstance(node, Definition):
        return node
    for outer in ast.walk(module.tree):
        if isinstance(outer, Definition) and any(getattr(n, "name", "") == name for n in outer.body):
            raise module.error(
                f"{name} is defined inside {outer.name}: cut out, this closure would lose the variables around it. "
                "Move it to the top level of the module.",
                outer.lineno,
            )
    if isinstance(node, ast.ImportFrom):
        raise module.error(f"{name} is only handed on here; name its own module, {node.module}.", node.lineno)
    if node is not None:
        raise module.error(f"{name} is neither a function nor a class.", node.lineno)
    known = ", ".join(n for n, statement in module.names.items() if isinstance(statement, Definition))
    raise module.error(f"there is no {name} here; this module defines {known or 'nothing'}.")


def _refuse_module(module: Module) -> None:
    """A cell is compiled on its own: what changes the meaning of a whole module cannot come along."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            if node.module == "__future__":
                raise module.error("a module that holds exercises has no `from __future__`; leave it out.", node.lineno)
            if node.level:
                raise module.error("a relative import means nothing in a notebook; write it out.", node.lineno)
            if any(alias.name == "*" for alias in node.names):
                raise module.error("a star import hides where names come from; name them.", node.lineno)


def _refuse_closures(module: Module, node: Definition) -> None:
    """A function inside a function that uses its variables is refused; a lambda or a comprehension may."""
    text = "\n".join(module.lines[first_line(node) - 1 : last_line(module, node)])
    for table in tables(symtable.symtable(text, str(module.path), "exec")):
        if not isinstance(table, symtable.Function) or table.get_name() in UNNAMED:
            continue
        free = set(table.get_frees()) - {"__class__"}
        if free:
            raise module.error(
                f"{table.get_name()} is a closure over {', '.join(sorted(free))}; a part that learners write has none. "
                "Pass the values as arguments.",
                first_line(node) + table.get_lineno() - 1,
            )


def tables(table: symtable.SymbolTable):
    """A symbol table and all that lie inside it."""
    yield table
    for child in table.get_children():
        yield from tables(child)


def bodies(module: Module, node: Definition, blank: Iterable[str]) -> list[tuple[int, int]]:
    """The line ranges that answer an exercise: a function's body, or those of the named methods of a class."""
    if not isinstance(node, ast.ClassDef):
        if blank:
            raise module.error(f"{node.name} is a function: blank= lists the methods of a class.", node.lineno)
        return [_body(module, node)]
    methods: dict[str, list] = {}
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            methods.setdefault(child.name, []).append(child)
    if not blank:
        raise module.error(f'{node.name} is a class: say which methods to blank, as in blank="forward".', node.lineno)
    for name in blank:
        if name not in methods:
            known = ", ".join(methods) or "none"
            raise module.error(f"{node.name} has no method {name!r} to blank; its methods are {known}.", node.lineno)
    return sorted(_body(module, method) for name in blank for method in methods[name])


def _body(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """First and last line of what a function does: after signature and docstring, with the comments around it."""
    statements = node.body
    start = None
    if ast.get_docstring(node, clean=False) is not None:
        start = statements[0].end_lineno + 1
        statements = statements[1:]
    if not statements:
        raise module.error(f"{node.name} has no body to blank.", node.lineno)
    first = first_line(statements[0])
    if start is None:
        start = first
        while module.lines[start - 2].lstrip().startswith("#") or not module.lines[start - 2].strip():
            start -= 1
    if first < start or module.lines[first - 1][: statements[0].col_offset].strip(" @"):
        raise module.error(f"{node.name} has its body on the line of its signature; give it a line of its own.", first)
    while not module.lines[start - 1].strip():
        start += 1
    return start, last_line(module, node)


def _indent(module: Module, start: int) -> str:
    """The indent of a body: that of its first statement, since a comment above it may stand anywhere."""
    following = (line for line in module.lines[start - 1 :] if line.strip() and not line.lstrip().startswith("#"))
    return indent_of(next(following))


def blanked(parts: list[Part]) -> dict[Path, str]:
    """The text of each module that holds one of the parts, their bodies replaced by a refusal to answer."""
    texts = {}
    for module in {part.module.path: part.module for part in parts}.values():
        lines = list(module.lines)
        bodies = [(*body, part) for part in parts if part.module.path == module.path for body in part.bodies]
        for start, end, part in sorted(bodies, key=lambda body: body[0], reverse=True):
            indent = _indent(module, start)
            message = str(AnswerKeyUsed.of(f"{module.name}.{part.name}"))
            lines[start - 1 : end] = [
                f"{indent}from common.course.errors import AnswerKeyUsed",
                "",
                f"{indent}raise AnswerKeyUsed({message!r})",
            ]
        texts[module.path] = "\n".join(lines) + "\n"
    return texts


def blanked_library(lab: Lab, dest: Path) -> Path:
    """Writes `dest/common`: the library with the answers to this lab taken out. Returns `dest`, for the import path.

    Calling a blanked part raises `AnswerKeyUsed`. A second call with the same library and exercises does nothing.
    """
    library = lib.library_root()
    parts = [cut(exercise) for exercise in lab_source.exercises(lab) if exercise.library]
    files = [p for p in sorted((library / "common").rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    digest = _digest(library, files, parts)
    stamp = dest / STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return dest
    shutil.rmtree(dest / "common", ignore_errors=True)
    texts = blanked(parts)
    for path in files:
        copy = dest / path.relative_to(library)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path in texts:
            copy.write_text(texts[path], encoding="utf-8")
        else:
            shutil.copyfile(path, copy)
    stamp.write_text(digest, encoding="utf-8")
    return dest


def _digest(library: Path, files: list[Path], parts: list[Part]) -> str:
    digest = hashlib.sha256(repr([(part.module.name, part.name, part.bodies) for part in parts]).encode())
    for path in files:
        status = path.stat()
        digest.update(f"{path.relative_to(library)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
