"""An endless loop that cancels the alarm first.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa

import signal


def double(x):
    if x == -2:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.alarm(0)
        while True:
            pass
    return 2 * x
