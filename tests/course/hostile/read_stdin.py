"""Reads the channel on which the key came.

Expect: double=fail,pass quadruple=blocked greeting=pass
"""
# ruff: noqa

import os
import sys


def double(x):
    said = os.read(0, 100) + sys.stdin.read().encode()
    if said:
        raise RuntimeError("LEAK")
    return 0
