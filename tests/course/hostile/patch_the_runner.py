"""What the test runner knows of an exception is nothing.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import sys

sys.modules["_pytest.runner"].CallInfo.excinfo = property(lambda self: None, lambda self, value: None)


def double(x):
    return 0
