"""Waiting for something that never happens.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa

import threading


def double(x):
    if x == -2:
        threading.Event().wait()
    return 2 * x
