"""A cell that leaves: the exercises of the other cells still count.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa

raise SystemExit


def double(x):
    return 2 * x
