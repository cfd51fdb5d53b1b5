"""Empties the list of tests.

Expect: double=error quadruple=error greeting=error
"""
# ruff: noqa

import gc


def double(x):
    for thing in gc.get_objects():
        if type(thing) is list and thing and type(thing[0]).__name__ == "Function":
            thing.clear()
    return 0
