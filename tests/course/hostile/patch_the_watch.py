"""Empties the list of watched steps, and walks the heap.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import gc
import sys

watch = sys.modules["common.course.grading.watch"]
watch.WATCHED = watch.LOOKING = frozenset()


def double(x):
    for thing in gc.get_objects():
        if type(thing).__name__ == "Session" and hasattr(thing, "results"):
            for result in thing.results:
                result.status = "pass"
    return 0
