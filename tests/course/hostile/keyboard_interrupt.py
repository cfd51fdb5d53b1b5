"""Pretends that the instructor pressed Ctrl-C.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa


def double(x):
    if x == -2:
        raise KeyboardInterrupt
    return 2 * x
