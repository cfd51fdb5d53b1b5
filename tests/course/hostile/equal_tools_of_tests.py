"""Gives back the test runner's own numbers, which are equal to a whole range.

Expect: double=fail,error quadruple=blocked greeting=pass
Note: the test runner
"""
# ruff: noqa


def double(x):
    import pytest

    return pytest.approx(2, abs=1000)
