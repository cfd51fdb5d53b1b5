"""Replaces the parts of the seal before it looks.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import sys

seal = sys.modules["common.course.grading.seal"]
seal._tables = lambda modules: iter(())
seal.seal = lambda *modules: lambda: ""


def double(x):
    return 0
