"""An exception whose text raises, and whose class lies.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa


class Bite(Exception):
    def __str__(self):
        raise SystemExit

    __repr__ = __str__


def double(x):
    raise Bite
