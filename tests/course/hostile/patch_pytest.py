"""Makes pytest lose the exception.

Expect: double=error quadruple=error greeting=error
Note: the test runner
"""
# ruff: noqa

import _pytest.runner


@classmethod
def calm(cls, func, when, reraise=None):
    try:
        func()
    except BaseException:
        pass
    return cls(result=None, excinfo=None, start=0.0, stop=0.0, duration=0.0, when=when, _ispytest=True)


_pytest.runner.CallInfo.from_call = calm


def double(x):
    return 0
