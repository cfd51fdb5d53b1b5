"""An abort, as C++ libraries do it.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import os


def double(x):
    if x == -2:
        os.abort()
    return 2 * x
