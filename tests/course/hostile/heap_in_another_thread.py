"""The heap is walked where no cell is on the stack.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import _thread
import gc
import time


def double(x):
    _thread.start_new_thread(gc.get_objects, ())
    time.sleep(0.2)
    return 0
