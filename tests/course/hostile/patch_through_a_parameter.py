"""A class is changed under another name.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import torch


def change(kind):
    kind.all = lambda *arguments: True


def double(x):
    change(type(torch.zeros(1)))
    return 0
