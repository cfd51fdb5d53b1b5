"""A list that grows until memory is gone.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa


def double(x):
    hoard = []
    while x == -2:
        hoard.append(bytes(256 << 20))
    return 2 * x
