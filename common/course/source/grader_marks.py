"""What each exercise is worth, read from the marks in a grader's text (nothing is imported, pytest does not run).

@pytest.mark.exercise("even_indices", points=2)
@pytest.mark.parametrize("num_frames", [1, 2, 7])      # three tests, two points each
def test_ends(lab, num_frames): ...
"""

import ast
from pathlib import Path

from common.course.base.paths import CourseError, Lab
from common.course.source.percent import shown


def points(lab: Lab) -> dict[str, float]:
    """Exercise name to the points of all its tests.

    Raises:
        CourseError: the grader is missing, or a test has no mark or one that cannot be read from the text.
    """
    path = lab.tests
    if not path.exists():
        raise CourseError(f"lab {lab.id} has no grader: {shown(path)} is missing.")
    total: dict[str, float] = {}
    tests = list(_tests(path))
    for name, worth, _, _ in tests:
        total[name] = total.get(name, 0) + worth
    for _, _, needs, mark in tests:
        for name in needs:
            if name not in total:
                raise _error(path, mark, f"needs names {name!r}, and no test here is marked with that exercise.")
    return {name: int(value) if value == int(value) else value for name, value in total.items()}


def _tests(path: Path):
    """(exercise, points of all its cases, exercises it needs, its mark) for each test function."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise CourseError(f"{shown(path)}:{error.lineno}: {error.msg}") from None
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            marks = [d for d in node.decorator_list if _mark(d, constants) == "exercise"]
            if len(marks) != 1:
                raise _error(path, node, f"{node.name} needs one @pytest.mark.exercise(NAME, ...), not {len(marks)}.")
            name, worth, needs = _exercise(path, marks[0], constants)
            cases = 1
            for decorator in node.decorator_list:
                if _mark(decorator, constants) == "parametrize":
                    cases *= _num_cases(path, decorator, constants)
            yield name, worth * cases, needs, marks[0]


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the module's top level assigns to plain names: lists of cases, short names of marks."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {t.id: node.value for node in assigned for t in node.targets if isinstance(t, ast.Name)}


def _mark(decorator: ast.expr, constants: dict[str, ast.expr]) -> str | None:
    """`exercise` for `@pytest.mark.exercise(...)`, also under a name that the module gave to the mark."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Name):
        called = constants.get(called.id)
    inner = getattr(called, "value", None)
    return called.attr if isinstance(called, ast.Attribute) and getattr(inner, "attr", None) == "mark" else None


def _exercise(path: Path, mark: ast.Call, constants: dict[str, ast.expr]) -> tuple[str, float, tuple[str, ...]]:
    keywords = {k.arg: k.value for k in getattr(mark, "keywords", [])}
    try:
        name = ast.literal_eval(mark.args[0])
        worth = ast.literal_eval(keywords["points"]) if "points" in keywords else 1
        needs = keywords.get("needs", ast.Tuple([]))
        needs = ast.literal_eval(constants.get(needs.id, needs) if isinstance(needs, ast.Name) else needs)
    except (ValueError, IndexError, AttributeError):
        raise _error(path, mark, "an exercise mark names its exercise, points and needs as literals.") from None
    if not isinstance(name, str) or not isinstance(worth, (int, float)) or worth <= 0:
        raise _error(path, mark, f"an exercise mark is (NAME, points=ABOVE_ZERO), not ({name!r}, points={worth!r}).")
    return name, worth, (needs,) if isinstance(needs, str) else tuple(needs)


def _num_cases(path: Path, decorator: ast.Call, constants: dict[str, ast.expr]) -> int:
    values = decorator.args[1] if len(decorator.args) > 1 else None
    if isinstance(values, ast.Name):
        values = constants.get(values.id)
    if not isinstance(values, (ast.List, ast.Tuple)) or any(isinstance(v, ast.Starred) for v in values.elts):
        raise _error(path, decorator, "write the cases of parametrize as a list: the points are read from this text.")
    return len(values.elts)


def _error(path: Path, node: ast.AST, message: str) -> CourseError:
    return CourseError(f"{shown(path)}:{node.lineno}: {message}")
