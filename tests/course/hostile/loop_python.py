"""An endless loop in Python for one input; the others are right.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa


def double(x):
    while x == -2:
        pass
    return 2 * x
