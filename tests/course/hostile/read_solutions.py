"""Reads the solution where the course keeps it.

Expect: double=error quadruple=blocked greeting=pass
Note: mentions `solutions/`
"""
# ruff: noqa


def double(x):
    text = open("@ROOT@/solutions/01_tiny/01_numbers.py").read()
    scope = {}
    exec(text, scope)
    return scope["double"](x)
