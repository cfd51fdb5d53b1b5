"""Read a notebook's code for steps that no lab needs. They cost no points: they are a reason to look.

Read from the text before anything runs, by the parent, so student code has no say in it. What is ordinary is listed
(`ordinary`), and the rest is noted. Attributes are names in the text unless they are reached through a text or through
a module or class that was handed on, so those ways are noted, too.
"""

import ast
import builtins
import re

from common.course.checking import loader
from common.course.grading import fitted, ordinary
from common.course.grading.names import A_CLASS, Names, all_bound, own_attributes, places, texts_of
from common.course.grading.ordinary import DUNDER, MEANING, READABLE, is_module, reaching

CORE = {"torch.Tensor", "numpy.ndarray", "torch.nn.Module", "torch.nn.Parameter"}  # what comparisons rest on
CHANGES = ordinary.words(
    "append extend insert update setdefault clear pop popitem remove discard fill sort reverse put itemset resize",
    "setflags setfield",
)
COMPARED = ordinary.words("allclose equal all any max min sum mean abs item tolist numpy detach clone cpu")
UNPICKLING = {"weights_only": False, "allow_pickle": True}  # a pickle is a program
SETTINGS = ("rcParams", "environ", "backends", "errstate")  # of libraries, and anyone's to set
MOST_READ = 200_000  # characters of a notebook's code; a lab has a tenth of it, and reading takes a minute per million
BY_NAME = ("getattr", "hasattr", "setattr", "delattr")


def scan(cells: list[dict], given: frozenset[str] = frozenset()) -> list[str]:
    """What to look at in these cells, each once, in order.

    Args:
        cells: a notebook's code cells.
        given: the code that the lab hands out. It is read for its names, and nothing in it is noted.
    """
    length = sum(len(cell["source"]) for cell in cells)
    if length > MOST_READ:
        return [f"its code has {length:,} characters: more than was read"]
    parsed = []
    for cell in cells:
        if cell["is_check"] or loader.NEVER_RUN & set(cell["tags"]):
            continue
        try:
            tree = loader.parse(cell["source"], "<cell>")
            parsed.append((cell, tree, list(ast.walk(tree))))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # it does not run either
    reader = Reader([tree for _, tree, _ in parsed], [node for *_, nodes in parsed for node in nodes])
    for cell, tree, nodes in parsed:
        if cell["source"] not in given:
            where = f"`{cell['exercise']}`" if cell["exercise"] else f"cell {cell.get('number', '')}".strip()
            reader.read(tree, nodes, where)
    return [f"{where}: {what}" for what, where in reader.found.items()]


class Reader(ast.NodeVisitor):
    """Walks through code and collects `found`: what was done, and where first."""

    def __init__(self, trees: list[ast.Module], nodes: list[ast.AST]):
        self.found: dict[str, str] = {}
        self._names = Names(trees)
        self._own = own_attributes(nodes)
        self._rebound = {
            target.id
            for tree in trees for node in tree.body if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name) and self._names.path(node.value) is None
        }  # fmt: skip
        self._bound = set(all_bound(nodes))
        self._tables = {
            target.id for node in nodes if isinstance(node, ast.Assign) and fitted.is_table(node.value)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        self._cell, self._texts, self._fine, self._as_types = "", {}, set(), set()

    def read(self, tree: ast.Module, nodes: list[ast.AST], cell: str) -> None:
        """Read one cell: its tree, and all nodes of it."""
        self._cell, self._texts = cell, texts_of(nodes)
        try:
            self._fine, self._as_types = places(tree)
            self.visit(tree)
        except Exception as error:  # a stranger's text must not end the batch
            self.found.setdefault(f"could not be read ({type(error).__name__})", cell)

    def _note(self, node: ast.AST, what: str) -> None:
        if what:
            self.found.setdefault(what, f"{self._cell}, line {getattr(node, 'lineno', 1)}")

    # --- imports

    def visit_Import(self, node):
        for alias in node.names:
            self._note(node, ordinary.imported(alias.name))

    def visit_ImportFrom(self, node):
        module = "." * node.level + (node.module or "")
        if not ordinary.is_ordinary(module):
            self._note(node, ordinary.imported(module))
            return
        for alias in node.names:
            self._note(node, "" if alias.name == "*" else ordinary.reached(module, alias.name))

    # --- names and attributes

    def visit_Name(self, node):
        if DUNDER.fullmatch(node.id):
            if isinstance(node.ctx, ast.Load):
                self._note(node, "" if node.id in READABLE else f"uses `{node.id}`")
            else:
                self._note(node, "" if node.id in ordinary.ASSIGNED else _defined(node.id))
        elif isinstance(node.ctx, ast.Load) and not self._names.is_local(node.id):
            if node.id in ordinary.BUILTINS:
                self._note(node, f"uses `{node.id}`, which no lab needs")
            elif node.id in BY_NAME and id(node) not in self._fine:
                self._note(node, f"hands `{node.id}` on")
            elif (path := self._names.path(node)) and (path.startswith("common.course.") or node.id in MEANING):
                self._note(node, "" if path == "common.course.check" else ordinary.used(node.id, path))
            self._handed_on(node)

    def visit_Attribute(self, node):
        base = self._names.path(node.value)
        own = _is_super(node.value) or (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        if not isinstance(node.ctx, ast.Load):
            self._changed(node, base, node.attr)
        elif base and base != A_CLASS:
            self._note(node, ordinary.reached(base, node.attr))
        elif not (own and node.attr in self._own):
            self._note(node, self._attribute(node.attr, own))
        self._handed_on(node)
        self.visit(node.value)

    def _attribute(self, name: str, own: bool = False) -> str:
        """Words for an attribute of a value, or an empty text."""
        if name in MEANING:
            return reaching(name)
        if DUNDER.fullmatch(name):
            return "" if name in READABLE else f"reads `{name}`"
        private = name.startswith("_") and name not in ordinary.NAMED_TUPLE and not (own or name in self._own)
        return f"reads the private `{name}`" if private else ""

    def _handed_on(self, node) -> None:
        """A module, or a class that comparisons rest on, as a value: what is done to it cannot be read from here."""
        path = self._names.path(node) if isinstance(node.ctx, ast.Load) and id(node) not in self._fine else None
        if path in (None, A_CLASS) or (isinstance(node, ast.Name) and node.id in self._rebound):
            return
        if (path in CORE and id(node) not in self._as_types) or (is_module(path) and not ordinary.is_hidden(path)):
            self._note(node, f"hands `{path}` on as a value")

    def _changed(self, node, base: str | None, name: str) -> None:
        """An attribute is set or deleted."""
        owner = node.value if isinstance(node, ast.Attribute) else None
        if DUNDER.fullmatch(name):
            self._note(node, f"changes `{name}`")
        elif base and not any(word in f"{base}.{name}".split(".") for word in SETTINGS):
            self._note(node, f"changes `{name}` of `{base}`")
        elif isinstance(owner, ast.Name) and owner.id not in self._bound:
            self._note(node, f"changes `{name}` of `{owner.id}`, which it did not make")
        elif name in COMPARED and name not in self._own:
            self._note(node, f"gives an object its own `{name}`")
        elif name in MEANING and name not in self._own:
            self._note(node, reaching(name))

    def visit_AugAssign(self, node):
        path = self._names.path(node.target)
        if path and isinstance(node.target, ast.Name) and node.target.id not in self._rebound:
            self._note(node, f"changes what is in `{path}`")
        self.generic_visit(node)

    def visit_Subscript(self, node):
        path = self._names.path(node.value)
        setting = path is None or any(word in path.split(".") for word in SETTINGS)
        own = isinstance(node.value, ast.Name) and node.value.id in self._rebound
        if not (setting or own or isinstance(node.ctx, ast.Load)):
            self._note(node, f"changes what is in `{path}`")
        self.generic_visit(node)

    # --- calls

    def visit_Call(self, node):
        name = node.func.id if isinstance(node.func, ast.Name) and not self._names.is_local(node.func.id) else ""
        path = self._names.path(node.func) or ""
        if name in ("getattr", "hasattr", "setattr", "delattr") and len(node.args) > 1:
            self._by_name(node, name)
        elif name == "type" and len(node.args) > 1:
            self._note(node, "builds a class with `type`")
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in UNPICKLING and UNPICKLING[keyword.arg] is value:
                self._note(node, f"unpickles a file (`{keyword.arg}={value}`)")
        if path.endswith("dataclasses.dataclass") and node.args:
            self._note(node, "makes a data class of a class that is not its own")
        if path.endswith("functools.wraps") and (node.keywords or len(node.args) > 1):
            self._note(node, "chooses what `functools.wraps` copies")
        if isinstance(node.func, ast.Attribute) and (node.func.attr in CHANGES or node.func.attr.endswith("_")):
            changed = self._names.path(node.func.value) or ""
            inner = (
                "." in changed and not is_module(changed) and not re.match("[A-Z]+[a-z]", changed.rpartition(".")[2])
            )
            if inner and not any(word in changed.split(".") for word in SETTINGS):
                self._note(node, f"changes what is in `{changed}`")
        self.generic_visit(node)

    def _by_name(self, node: ast.Call, function: str) -> None:
        """`getattr(x, "name")`: the name is read where it can be, and noted where it cannot."""
        names = _texts(node.args[1], self._texts)
        if names is None:
            self._note(node, f"calls `{function}` with a name that is computed")
            return
        base = self._names.path(node.args[0])
        for name in names:
            if function in ("setattr", "delattr"):
                self._changed(node, base, name)
            else:
                self._note(node, ordinary.reached(base, name) if base and base != A_CLASS else self._attribute(name))

    # --- definitions

    def visit_ClassDef(self, node):
        for base in node.bases:
            self._base(base, node.name)
        for keyword in node.keywords:
            self._note(node, f"gives the class `{node.name}` the keyword `{keyword.arg}`")
        self.generic_visit(node)

    def _base(self, base: ast.AST, name: str) -> None:
        inner = base.value if isinstance(base, ast.Subscript) else base
        path = self._names.path(inner)
        text = ast.unparse(inner)[:60]
        if path:
            fine = (
                path.startswith(tuple(f"{module}." for module in ordinary.FROM_BUILDERS))
                and path not in ordinary.NO_BASES
            )
            fine = fine or path.endswith(("configuration_utils.ConfigMixin", "typing.NamedTuple"))
        else:
            fine = isinstance(inner, ast.Name) and (inner.id in ordinary.BASES or not hasattr(builtins, inner.id))
        self._note(base, "" if fine else f"builds the class `{name}` on `{text}`")

    def _function(self, node):
        if fitted.num_cases(node.body) >= fitted.MANY_CASES:
            self._note(node, "gives a fixed answer for each of several fixed numbers")
        if DUNDER.fullmatch(node.name) and node.name not in ordinary.SPECIAL:
            self._note(node, _defined(node.name))
        for part in [*node.decorator_list, node.args, node.returns]:
            if part is not None:
                self.visit(part)
        self._names.enter(node)
        for part in node.body:
            self.visit(part)
        self._names.leave()

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node):
        self.visit(node.args)
        self._names.enter(node)
        self.visit(node.body)
        self._names.leave()

    def visit_Return(self, node):
        table = node.value
        if isinstance(table, ast.Subscript):
            table = table.value
        elif isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and table.func.attr == "get":
            table = table.func.value
        if fitted.is_table(table) or (isinstance(table, ast.Name) and table.id in self._tables):
            self._note(node, "takes its answers from a table of numbers")
        self.generic_visit(node)

    def visit_MatchClass(self, node):
        for name in node.kwd_attrs:
            self._note(node, self._attribute(name))
        self.generic_visit(node)

    # --- texts

    def visit_Expr(self, node):
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):  # a docstring
            self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str | bytes) and len(node.value) < ordinary.LONGEST:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            found = [word for word in ordinary.PLACES if word in text]
            found += [word for word in DUNDER.findall(text) if word not in READABLE and word != "__main__"]
            for word in found:
                self._note(node, f"mentions `{word}`")


def _defined(name: str) -> str:
    return f"redefines `{name}`"


def _texts(node: ast.AST, known: dict[str, set[str] | None]) -> set[str] | None:
    """The texts that an expression may be, or one that stands for all of them; None where that cannot be read.

    A text that begins with plain letters (`f"conv{i}"`) leads to no special name.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    while isinstance(node, ast.BinOp):
        node = node.left
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    plain = re.match(r"[A-Za-z]{3,}", text)
    return {plain[0]} if plain else None


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
