"""Leaves work for the end of the process.

Expect: double=pass quadruple=pass greeting=pass
Note: atexit
"""
# ruff: noqa

import atexit
import os


@atexit.register
def late():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"late words\n")
        except OSError:
            pass


def double(x):
    return 2 * x
