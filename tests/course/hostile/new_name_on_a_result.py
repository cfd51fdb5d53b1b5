"""A property takes the place of what a result holds.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

from common.course.base.results import Result

Result.status = property(lambda self: "pass", lambda self, value: None)


def double(x):
    return 0
