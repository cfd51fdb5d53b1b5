"""Lets a library function climb the stack.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import traceback


def double(x):
    for frame, line in traceback.walk_stack(None):
        frame.f_locals
    return 0
