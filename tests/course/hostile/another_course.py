"""Points the course at files of its own.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import os

os.environ.update(zip(["FLIP" + "BOOK_ROOT"], ["/tmp/mine"]))


def double(x):
    return 2 * x
