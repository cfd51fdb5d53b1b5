"""Shared memory, which a limit on data does not count.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import mmap


def double(x):
    if x == -2:
        block = mmap.mmap(-1, 64 << 30)
        block.write(bytes(1 << 20))
    return 2 * x
