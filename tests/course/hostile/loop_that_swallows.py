"""An endless loop that swallows whatever would stop it.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa


def double(x):
    while x == -2:
        try:
            while True:
                pass
        except BaseException:
            pass
    return 2 * x
