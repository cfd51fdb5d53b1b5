"""Which names a library part takes from its module, and the import lines that give them to a notebook."""

import ast
import builtins
import symtable
from collections.abc import Iterable

from common.course.base.paths import CourseError
from common.course.source.answer_key import Part, tables
from common.course.source.lab_source import Exercise
from common.course.source.library import Definition, Module, find_module, origin

MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "defaultdict", "OrderedDict", "Counter", "deque"}
MODULE_ONLY = {"__file__", "__path__", "__spec__", "__package__"}
LINE_LENGTH = 110
Place = tuple[str, str | None]  # (module, attribute) to import; None is the module itself


def free_names(part: Part) -> set[str]:
    """The global names that a part uses: those of its code, and those inside annotations written as text."""
    found = set()
    for table in tables(symtable.symtable(part.text, str(part.module.path), "exec")):
        for symbol in table.get_symbols():
            if symbol.is_declared_global():
                raise part.module.error(
                    f"{part.name} rebinds the module's {symbol.get_name()}; a notebook would change a copy. "
                    "Pass it as an argument.",
                    part.first,
                )
            if (symbol.is_referenced() and symbol.is_global()) or _unbound(table, symbol):
                found.add(symbol.get_name())
    return (found | (_in_text_annotations(part.node) & part.module.names.keys())) - {part.name}


def _unbound(table: symtable.SymbolTable, symbol: symtable.Symbol) -> bool:
    """Whether the part's own top level (decorators, bases, defaults) uses a name that it does not bind."""
    return table.get_type() == "module" and symbol.is_referenced() and not symbol.is_assigned()


def _in_text_annotations(node: Definition) -> set[str]:
    annotations = [getattr(n, "annotation", None) for n in ast.walk(node)]
    annotations += [getattr(n, "returns", None) for n in ast.walk(node)]
    texts = [t for a in annotations if a is not None for t in ast.walk(a) if isinstance(t, ast.Constant)]
    names = set()
    for text in (t.value for t in texts if isinstance(t.value, str)):
        try:
            names |= {n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)}
        except SyntaxError:
            continue  # a Literal["same"] holds text that is no annotation
    return names


def import_lines(parts: Iterable[Part], exercises: Iterable[Exercise], setup: Module) -> list[str]:
    """The import statements that a notebook needs so that the parts find their names.

    Left out are names that are exercises of the lab (the learner's own), and those that the setup cells import already.

    Args:
        parts: the library parts that the notebook holds.
        exercises: all exercises of the lab.
        setup: the text of the setup cells, as if it were a module.

    Raises:
        CourseError: a name cannot be imported (mutable, rebound, nowhere bound), or stands for two things.
    """
    learners = {exercise.name: exercise.library for exercise in exercises}
    chosen: dict[str, Place] = {}
    for part in parts:
        for name in sorted(free_names(part)):
            place = _import_of(part, name, learners)
            if place is None or _setup_has(setup, name, place):
                continue
            if _real(chosen.setdefault(name, place)) != _real(place):
                raise CourseError(
                    f"{name} means {_shown(chosen[name])} to one exercise and {_shown(place)} to another: "
                    "a notebook has room for one of them."
                )
    return _statements(chosen)


def _setup_has(setup: Module, name: str, place: Place) -> bool:
    node = setup.names.get(name)
    if node is None:
        return False
    if not isinstance(node, (ast.Import, ast.ImportFrom)) or _real(_place(setup, name, node)) != _real(place):
        raise setup.error(f"the setup binds {name} to something else than the exercises' {_shown(place)}.", node.lineno)
    return True


def _real(place: Place) -> Place:
    """Where an attribute is defined in the end, so that a name and its re-export count as the same."""
    module = find_module(place[0]) if place[1] else None
    return (module and origin(module, place[1])) or place


def _import_of(part: Part, name: str, learners: dict[str, str | None]) -> Place | None:
    """Where to import a name from, or None when it needs no import."""
    module = part.module
    node = module.names.get(name)
    if node is None:
        if name in MODULE_ONLY or not hasattr(builtins, name):
            raise module.error(f"{part.name} uses {name}, which this module does not bind.", part.first)
        return None
    place = origin(module, name)
    if place and learners.get(place[1]) == f"{place[0]}:{place[1]}":
        if place[1] != name:
            raise module.error(f"{part.name} calls the exercise {place[1]} by another name, {name}.", node.lineno)
        return None
    if name in learners:
        raise module.error(f"{part.name} uses a {name} that is not the exercise {name} of this lab.", part.first)
    return _place(module, name, node)


def _place(module: Module, name: str, node: ast.stmt) -> Place:
    if isinstance(node, ast.Import):
        alias = next(a for a in node.names if (a.asname or a.name.split(".")[0]) == name)
        return (alias.name, None)
    if isinstance(node, ast.ImportFrom):
        return (node.module, next(a.name for a in node.names if (a.asname or a.name) == name))
    if not isinstance(node, Definition) and (name in module.rebound or _is_mutable(node.value)):
        raise module.error(
            f"{name} is a mutable global: two notebooks and the library would share it. Make it a tuple, a frozenset "
            "or a types.MappingProxyType, or pass it as an argument.",
            node.lineno,
        )
    return (module.name, name)


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        called = value.func
        return getattr(called, "id", getattr(called, "attr", None)) in MUTABLE_CALLS
    return isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def _shown(place: Place) -> str:
    return ".".join(part for part in place if part)


def _statements(chosen: dict[str, Place]) -> list[str]:
    plain, grouped = [], {}
    for name, (module, attribute) in chosen.items():
        if attribute is None:
            plain.append(f"import {module}" if name == module.split(".")[0] else f"import {module} as {name}")
        else:
            grouped.setdefault(module, []).append(attribute if attribute == name else f"{attribute} as {name}")
    lines = sorted(plain)
    for module, names in sorted(grouped.items()):
        line = f"from {module} import {', '.join(sorted(names))}"
        if len(line) > LINE_LENGTH:
            line = f"from {module} import (\n" + "".join(f"    {n},\n" for n in sorted(names)) + ")"
        lines.append(line)
    return lines
