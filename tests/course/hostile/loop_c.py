"""An endless loop inside one C function, which no signal handler can interrupt.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa

from itertools import repeat


def double(x):
    if x == -2:
        sum(repeat(0))
    return 2 * x
