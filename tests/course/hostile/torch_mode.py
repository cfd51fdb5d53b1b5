"""Puts itself between torch and every call of it.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import torch
from torch.overrides import TorchFunctionMode


class Mode(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return True


Mode().__enter__()


def double(x):
    return 0
