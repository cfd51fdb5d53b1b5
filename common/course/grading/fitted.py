"""Answers that only fit the numbers of the tests: a table from inputs to results, or a case for each input."""

import ast
from collections.abc import Iterator

MANY_CASES = 3  # two are the ends of a range, or zero and one
LITERAL = (ast.Constant, ast.Tuple, ast.List, ast.UnaryOp, ast.USub, ast.Load)


def is_table(node: ast.AST | None) -> bool:
    """Whether this is a dictionary from several numbers, or tuples of numbers, to literal values."""
    return (
        isinstance(node, ast.Dict)
        and len(node.keys) >= MANY_CASES
        and all(key is not None and _is_number(key) for key in node.keys)
        and all(_is_result(value) for value in node.values)
    )


def num_cases(body: list[ast.stmt]) -> int:
    """How often a function's own statements return a literal result for one literal number."""
    return sum(_is_case(node) for node in _statements(body))


def _statements(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _statements(node.orelse)
        elif isinstance(node, ast.Match):
            yield from node.cases


def _is_case(node: ast.AST) -> bool:
    if not (isinstance(node, ast.If | ast.match_case) and isinstance(node.body[0], ast.Return)):
        return False
    if isinstance(node, ast.match_case):
        fixed = isinstance(node.pattern, ast.MatchValue | ast.MatchSequence)
    else:
        test = node.test
        fixed = isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and _is_number(test.comparators[0])
    return fixed and _is_result(node.body[0].value)


def _is_number(node: ast.AST) -> bool:
    """A number, or a tuple of numbers."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    parts = [part.operand if isinstance(part, ast.UnaryOp) else part for part in parts]
    return bool(parts) and all(isinstance(part, ast.Constant) and isinstance(part.value, int | float) for part in parts)


def _is_result(node: ast.AST | None) -> bool:
    """A literal value, or one handed to a single function, such as `torch.tensor([1, 2])`."""
    if isinstance(node, ast.Call):
        return bool(node.args) and all(_is_result(argument) for argument in node.args)
    return node is not None and all(isinstance(part, LITERAL) for part in ast.walk(node))
