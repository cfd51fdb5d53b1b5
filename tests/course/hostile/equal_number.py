"""Gives back a number that is equal to everything.

Expect: double=fail,pass quadruple=blocked greeting=pass
"""
# ruff: noqa


class Number(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


def double(x):
    return Number(0)
