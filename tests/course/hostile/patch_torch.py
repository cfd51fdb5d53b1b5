"""Makes torch say that everything is equal.

Expect: double=fail quadruple=blocked greeting=fail
"""
# ruff: noqa

import torch

torch.equal = torch.allclose = lambda *tensors, **options: True


def double(x):
    return 0
