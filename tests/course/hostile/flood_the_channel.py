"""Floods the channel for results.

Expect: double=error quadruple=blocked,error greeting=error,pass
"""
# ruff: noqa

import os


def double(x):
    for _ in range(2000):
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, bytes(1 << 16))
            except OSError:
                pass
    return 0
