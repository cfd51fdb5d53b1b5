"""Sends a signal to every process that it can name.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import os
import signal


def double(x):
    if x == -2:
        for target in (1, os.getppid(), -1):
            try:
                os.kill(target, signal.SIGKILL)
            except OSError:
                pass
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * x
