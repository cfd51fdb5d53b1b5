"""Gives back an object that runs code when it is unpickled.

Expect: double=fail,pass quadruple=blocked greeting=pass
"""
# ruff: noqa


class Load:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


def double(x):
    return Load()
