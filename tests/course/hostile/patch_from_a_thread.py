"""A thread that bends the tools while tests run.

Expect: double=fail,error quadruple=blocked,error greeting=pass,error
"""
# ruff: noqa

import threading
import time

import numpy
import torch


def bend():
    time.sleep(0.002)
    torch.equal = numpy.array_equal = lambda *a, **k: True


def double(x):
    threading.Thread(target=bend, daemon=True).start()
    time.sleep(0.01)
    return 0
