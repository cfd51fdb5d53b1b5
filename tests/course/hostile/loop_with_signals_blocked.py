"""An endless loop with every signal blocked.

Expect: double=pass,timeout quadruple=pass greeting=pass
"""
# ruff: noqa

import signal


def double(x):
    if x == -2:
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        while True:
            pass
    return 2 * x
