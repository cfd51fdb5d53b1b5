"""Prints without end to both streams.

Expect: double=pass quadruple=pass greeting=pass
"""
# ruff: noqa

import os
import sys


def double(x):
    if x == -2:
        for _ in range(50):
            os.write(1, bytes(1 << 16))
            os.write(2, b"x" * (1 << 16))
            print("y" * (1 << 16), file=sys.stderr)
    return 2 * x
