"""A message of fifty megabytes.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa


def double(x):
    raise ValueError("large " * 8_000_000)
