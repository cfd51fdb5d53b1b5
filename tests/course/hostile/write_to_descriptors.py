"""Writes results to every open descriptor.

Expect: double=fail,pass quadruple=blocked greeting=pass
Note: without a valid signature
"""
# ruff: noqa

import json
import os


def double(x):
    for descriptor in range(3, 64):
        for number in range(4):
            line = json.dumps([number, "end", "test_double_of_three", "pass", "", []])
            try:
                os.write(descriptor, b"\n" + b"0" * 64 + line.encode() + b"\n")
            except OSError:
                pass
    return 0
