"""Which statements of a student's own cells an answer needs, followed through names as text.

A cell of the student's own may hold a helper (`ONE = np.ones(1)`, `half = partial(scale, 0.5)`, `if fast: def f(): …`)
or a run of an hour. What binds a name that an answer uses is needed, with what that uses in turn; the rest is not.
"""

import ast
import symtable
from collections.abc import Iterable, Iterator

# Methods that change a list, a set, a dictionary or an array in place.
CHANGES = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear",
           "sort", "reverse", "appendleft", "extendleft", "fill", "fill_"}  # fmt: skip
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def needed(own: list[ast.stmt], answers: Iterable[ast.Module]) -> set[int]:
    """The places in `own` of the statements that the answers need.

    Args:
        own: top-level statements of untagged cells, in order.
        answers: the cells that run in full, set-up and exercises. Without any, the definitions in `own` are answers.
    """
    answers = list(answers)
    if not answers:
        answers = [ast.Module([node for node in own if isinstance(node, DEFINITIONS)], [])]
    wanted = {name for tree in answers for name in globals_of(tree)}
    binds = [bound_by(node) for node in own]
    uses = [globals_of(ast.Module([node], [])) for node in own]
    chosen: set[int] = set()
    waiting = True
    while waiting:
        waiting = [i for i in range(len(own)) if i not in chosen and binds[i] & wanted]
        for i in waiting:
            chosen.add(i)
            wanted |= uses[i]
    return chosen


def bound_by(node: ast.stmt) -> set[str]:
    """The global names that a statement binds or changes in place, however deep in its branches and loops."""
    found: set[str] = set()
    for part in _outside_scopes(node):
        if isinstance(part, DEFINITIONS):
            found.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            found |= {name.id for name in ast.walk(part.value) if isinstance(name, ast.Name)}
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in CHANGES:
            found |= {name.id for name in ast.walk(part.func.value) if isinstance(name, ast.Name)}
        elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
            found.add(part.name)
    return found


def _outside_scopes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and its parts, without the insides of functions and classes."""
    yield node
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _outside_scopes(child)


def globals_of(tree: ast.Module) -> set[str]:
    """The global names that code uses, inside its functions too."""
    try:
        tables = [symtable.symtable(ast.unparse(tree), "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError):
        return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return found
