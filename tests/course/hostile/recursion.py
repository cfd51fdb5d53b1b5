"""Calls itself without end.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa


def double(x):
    return double(x)
