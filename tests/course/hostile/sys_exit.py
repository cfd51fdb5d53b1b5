"""Leaves by the front door.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import sys


def double(x):
    if x == -2:
        sys.exit(0)
    return 2 * x
