"""Processes without end.

Expect: double=error quadruple=blocked greeting=pass
Note: other processes
"""
# ruff: noqa

import os


def double(x):
    while True:
        os.fork()
