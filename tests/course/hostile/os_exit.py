"""Ends the process without a word.

Expect: double=pass,error quadruple=pass greeting=pass
Note: the end of the process
"""
# ruff: noqa

import os


def double(x):
    if x == -2:
        os._exit(0)
    return 2 * x
