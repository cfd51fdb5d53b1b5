"""What the names in a notebook's code stand for: `F` for `torch.nn.functional`, `T` for `torch.Tensor`, or its own."""

import ast
from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
LOOKS = {"print", "dir", "help", "type", "repr", "str", "len", "display", "getattr", "hasattr", "id"}  # and do no more
OF_TYPES = {"isinstance", "issubclass", "map", *LOOKS}
A_CLASS = "type(…)"  # the class of some value


class Names:
    """Import paths by name, with a scope for each function that is being read.

    An import, or a plain `name = imported.thing`, gives a name its path. A function's own parameters and variables
    hide such a name inside it. At the top an import always counts: what is bound beside it may never run.
    """

    def __init__(self, trees: list[ast.Module]):
        self._scopes: list[dict[str, str | None]] = [{}]
        self._bind([node for tree in trees for node in _own(tree.body)], self._scopes[0])

    def enter(self, function: ast.AST) -> None:
        """Begin to read the inside of a function."""
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        scope: dict[str, str | None] = {argument.arg: None for argument in every if argument}
        body = function.body if isinstance(function.body, list) else [function.body]
        nodes = list(_own(body))
        outside = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
        for node in nodes:
            name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""
            name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else name
            if name and name not in outside:
                scope[name] = None
        self._scopes.append(scope)
        self._bind(nodes, scope)

    def leave(self) -> None:
        """The function has been read."""
        self._scopes.pop()

    def is_local(self, name: str) -> bool:
        """Whether a function that is being read binds this name itself."""
        return any(name in scope and scope[name] is None for scope in self._scopes[1:])

    def path(self, node: ast.AST) -> str | None:
        """The import path of an expression such as `np.linalg.norm`; None for everything else."""
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self._scopes) if node.id in scope), None)
        if isinstance(node, ast.Attribute):
            if node.attr == "__class__":
                return None if _is_self(node.value) else A_CLASS
            base = self.path(node.value)
            return f"{base}.{node.attr}" if base else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type" and node.args:
            return None if _is_self(node.args[0]) else A_CLASS
        return None

    def _bind(self, nodes: list[ast.AST], scope: dict) -> None:
        aliases = [node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    scope[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    scope[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
        for node in aliases * 3:  # aliases of aliases
            path = self.path(node.value) if len(node.targets) == 1 else None
            if path:
                scope[node.targets[0].id] = path


def _own(body: list[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a scope, without the insides of functions and comprehensions, which have scopes of their own."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, FUNCTIONS + COMPREHENSIONS):
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def own_attributes(nodes: list[ast.AST]) -> set[str]:
    """Names that the notebook gives to attributes of its own objects and to members of its own classes."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, FUNCTIONS[:2]):
                    found.add(part.name)
                targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def all_bound(nodes: list[ast.AST]) -> Iterator[str]:
    """Every name that code binds anywhere, in whatever way."""
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (*FUNCTIONS[:2], ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            yield node.name or ""
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def texts_of(nodes: list[ast.AST]) -> dict[str, set[str] | None]:
    """Names that only ever hold one of some literal texts, and these texts. None for a name with other values."""
    found: dict[str, set[str] | None] = {}

    def bind(name: str, values: list[ast.AST]) -> None:
        texts = {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}
        known = found.setdefault(name, set())
        found[name] = None if known is None or len(texts) < len(values) or not values else known | texts

    claimed = set()
    for node in nodes:
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            literal = isinstance(node.iter, ast.Tuple | ast.List | ast.Set)
            bind(node.target.id, node.iter.elts if literal else [])
            claimed.add(id(node.target))
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bind(node.targets[0].id, [node.value])
            claimed.add(id(node.targets[0]))
    for node in nodes:
        if isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in claimed:
            found[node.id] = None
    return found


def places(tree: ast.Module) -> tuple[set[int], set[int]]:
    """The places in which a module may be named, and those in which a class is used as a type, by node identity."""
    modules: set[int] = set()
    types: set[int] = set()
    held: set[int] = set()
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, typed = waiting.pop()
        if typed:
            types.add(id(node))
        inside: list[ast.AST] = []  # where types are named
        if isinstance(node, ast.Call):
            modules.add(id(node.func))
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            modules |= {id(argument) for argument in node.args if name in LOOKS}
            inside = node.args if name in OF_TYPES else []
        elif isinstance(node, ast.Attribute):
            modules.add(id(node.value))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and len(node.targets) == 1:
            modules.add(id(node.value))  # an alias, which is followed
        elif isinstance(node, ast.ClassDef):
            inside = node.bases
        elif isinstance(node, ast.Subscript):
            inside = [node.slice]
        elif isinstance(node, ast.Compare | ast.MatchClass):
            inside = list(ast.iter_child_nodes(node))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            inside = [node.left, node.right]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            inside = [node.annotation]
        elif isinstance(node, FUNCTIONS[:2]):
            inside = [node.returns]
        elif typed and isinstance(node, ast.Tuple | ast.List):
            inside = node.elts
        listed = {id(part) for part in inside}
        waiting += [(child, id(child) in listed) for child in ast.iter_child_nodes(node)]
        if isinstance(node, ast.ClassDef):  # what a class holds can be reached through its objects
            held |= {id(part.value) for part in node.body if isinstance(part, ast.Assign)}
    return modules - held, types
