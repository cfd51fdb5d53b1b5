"""A magic line makes the cell no Python, and the rest of it climbs the stack.

Expect: double=error quadruple=error greeting=error
Note: stack frames
"""
# ruff: noqa

# @MAGIC@
import sys


def double(x):
    return sys._getframe(1).f_locals
