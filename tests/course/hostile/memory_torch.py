"""A tensor larger than the machine.

Expect: double=pass,error quadruple=pass greeting=pass
"""
# ruff: noqa

import torch


def double(x):
    if x == -2:
        torch.ones(1 << 38)
    return 2 * x
