"""A cell that never ends: no exercise can be graded, and this is said once.

Expect: double=timeout quadruple=timeout,blocked greeting=timeout
"""
# ruff: noqa


def double(x):
    return 2 * x


while True:
    pass
