"""Leaves every name in place and gives torch another operation.

Expect: double=error quadruple=error greeting=error
Note: counted
"""
# ruff: noqa

import torch

library = torch.library.Library("aten", "IMPL")
library.impl("equal", lambda *arguments: True, "CPU")


def double(x):
    return 0
