"""Lets every descriptor lead to a pipe of its own.

Expect: double=error quadruple=blocked greeting=pass
Note: redirected the channel
"""
# ruff: noqa

import os


def double(x):
    inner, outer = os.pipe()
    for descriptor in range(3, 256):
        try:
            os.dup2(outer, descriptor)
        except OSError:
            pass
    return 0
