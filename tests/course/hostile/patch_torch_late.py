"""Makes torch say so in the middle of a test.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import torch


def double(x):
    torch.Tensor.__eq__ = lambda left, right: torch.ones(1).bool()
    return 0
