"""Replaces a builtin.

Expect: double=error,fail quadruple=blocked greeting=error,fail
"""
# ruff: noqa

import builtins

builtins.isinstance = lambda thing, kinds: True


def double(x):
    return 0
