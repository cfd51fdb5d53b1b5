"""Leaves every name in place and changes the code behind it.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

from common.course import plugin


def pass_always(item, call, result):
    result.status = "pass"


plugin._judge.__code__ = pass_always.__code__


def double(x):
    return 0
