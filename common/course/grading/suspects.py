"""Words in a notebook that an honest answer has no use for. They cost no points: they are a reason to look.

Read from the text before anything runs, by the parent, so student code has no say in it.
"""

import ast

REACHES_FOR = {
    "stack frames": ("_getframe", "currentframe", "f_back", "f_locals", "tb_frame", "gi_frame"),
    "tracing": ("settrace", "setprofile", "addaudithook"),
    "the heap": ("get_objects", "get_referrers", "get_referents"),
    "closures": ("__closure__", "cell_contents"),
    "raw memory": ("ctypes",),
    "the test runner": ("_pytest", "pluggy", "pytest"),
    "the end of the process": ("_exit", "atexit"),
    "other processes": ("fork", "subprocess", "multiprocessing"),
    "the network": ("socket", "urllib", "requests"),
}
MEANING = {name: meaning for meaning, names in REACHES_FOR.items() for name in names}
COMPARISONS = {"__eq__", "__ne__", "__lt__", "__gt__", "__bool__"}
COMPARISONS |= {"__torch_function__", "__torch_dispatch__", "__array_function__", "__array_ufunc__"}
PLACES = ("common.course.", "solutions/", "tests/labs", "/proc/")
LONGEST = 500  # characters of a text that may be a path; a longer one is prose


def scan(cells: list[dict]) -> list[str]:
    """What to look at in these cells, each once, in order."""
    found: list[str] = []
    for cell in cells:
        if cell["is_check"] or "check" in cell["tags"]:
            continue
        try:
            tree = ast.parse(cell["source"])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        own = _bound(tree)
        for node in ast.walk(tree):
            found += _in_node(node, own)
    return list(dict.fromkeys(found))


def _bound(tree: ast.Module) -> set[str]:
    """Names that the code binds itself, parameters included: `requests` may be a list of frames."""
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _in_node(node: ast.AST, own: set[str]) -> list[str]:
    if isinstance(node, ast.Attribute):
        return _reach([node.attr])
    if isinstance(node, ast.Name):
        return [] if node.id in own else _reach([node.id])
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _in_import(node)
    if isinstance(node, ast.ClassDef):
        return [f"redefines `{name}` in class `{node.name}`" for name in sorted(_class_names(node) & COMPARISONS)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < LONGEST:
        return [f"mentions `{word}`" for word in PLACES if word in node.value]
    return []


def _reach(names: list[str]) -> list[str]:
    return [f"reaches for {MEANING[name]} (`{name}`)" for name in names if name in MEANING]


def _in_import(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names]
    modules = names if isinstance(node, ast.Import) else [node.module or ""]
    found = _reach([part for module in modules + names for part in module.split(".")])
    if isinstance(node, ast.ImportFrom) and node.module == "common.course":
        modules = [f"common.course.{name}" for name in names if name != "check"]  # every lab imports `check`
    return found + [f"imports `{module}`" for module in modules if module.startswith("common.course.")]


def _class_names(node: ast.ClassDef) -> set[str]:
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    targets = [target for item in node.body if isinstance(item, ast.Assign) for target in item.targets]
    return names | {target.id for target in targets if isinstance(target, ast.Name)}
