"""Climbs the stack to the function that sends results.

Expect: double=error quadruple=error greeting=error
Note: called `sys._getframe`
"""
# ruff: noqa

import sys


def double(x):
    frame = sys._getframe()
    while frame:
        tell = frame.f_locals.get("tell") or frame.f_locals.get("listener")
        if tell:
            tell("end", "test_double_of_three", "pass", "", [])
        frame = frame.f_back
    return 0
