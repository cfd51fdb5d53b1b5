"""Gives back an object that is equal to everything.

Expect: double=fail,pass quadruple=blocked greeting=pass
Note: redefines `__eq__`
"""
# ruff: noqa


class Anything:
    def __eq__(self, other):
        return True

    def __contains__(self, other):
        return True


def double(x):
    return Anything()
