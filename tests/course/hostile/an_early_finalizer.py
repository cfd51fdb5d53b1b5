"""An object that acts when it is collected.

Expect: double=fail,pass quadruple=blocked greeting=pass
"""
# ruff: noqa

import os


class Last:
    def __del__(self):
        os.write(2, b"bye")


def double(x):
    return Last()
