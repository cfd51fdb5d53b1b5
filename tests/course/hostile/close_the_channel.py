"""Closes every descriptor.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import os


def double(x):
    if x == -2:
        os.closerange(3, 256)
    return 2 * x
