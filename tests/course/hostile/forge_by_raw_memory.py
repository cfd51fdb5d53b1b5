"""Reaches into memory.

Expect: double=error quadruple=error greeting=error
Note: raw memory
"""
# ruff: noqa

import ctypes


def double(x):
    ctypes.c_int.from_address(id(x) + 24).value = 0
    return 0
