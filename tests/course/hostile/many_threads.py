"""Ten thousand threads: no memory is left for the other tests.

Expect: double=pass,error quadruple=pass,error greeting=pass,error
"""
# ruff: noqa

import threading


def double(x):
    if x == -2:
        for _ in range(10_000):
            threading.Thread(target=threading.Event().wait, daemon=True).start()
    return 2 * x
