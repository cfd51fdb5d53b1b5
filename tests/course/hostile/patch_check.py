"""Replaces the machine's own functions.

Expect: double=fail quadruple=blocked greeting=fail
Note: imports
"""
# ruff: noqa

from common.course import checking, plugin

checking.run_tests = lambda *a, **k: []
plugin._judge = lambda item, call, result: setattr(result, "status", "pass")


def double(x):
    return 0
