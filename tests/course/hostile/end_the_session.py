"""Asks pytest to stop.

Expect: double=error,pass quadruple=blocked,error greeting=pass,error
"""
# ruff: noqa

import pytest


def double(x):
    if x == -2:
        pytest.exit("enough", returncode=0)
    return 2 * x
