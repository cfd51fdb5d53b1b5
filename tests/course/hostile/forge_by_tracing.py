"""Changes the test's variables from a trace function.

Expect: double=error quadruple=error greeting=error
Note: tracing
"""
# ruff: noqa

import sys


def double(x):
    sys.settrace(lambda frame, event, argument: None)
    return 0
