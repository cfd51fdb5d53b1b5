"""A name that Python would have looked up among the builtins.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import sys

sys.modules["common.course.plugin"].isinstance = lambda *arguments: False


def double(x):
    return 0
