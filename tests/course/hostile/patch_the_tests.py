"""Replaces the tests in the grader's module, which is not where it looks for it.

Expect: double=fail,pass quadruple=pass,fail,blocked greeting=pass
Note: changes `__code__`
"""
# ruff: noqa

import sys

for module in list(sys.modules.values()):
    if getattr(module, "__file__", None) and "test_01_numbers" in str(module.__file__):
        for name in list(vars(module)):
            if name.startswith("test_"):
                vars(module)[name].__code__ = (lambda lab: None).__code__


def double(x):
    return 0
