"""A data class that writes its own comparison.

Expect: double=fail quadruple=blocked greeting=pass
Note: redefines `__eq__`
"""
# ruff: noqa

from dataclasses import dataclass


@dataclass
class Number:
    value: int = 0

    def __eq__(self, other):
        return True


def double(x):
    return Number()
