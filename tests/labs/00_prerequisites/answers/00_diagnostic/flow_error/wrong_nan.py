"""Multiplies by the mask.

Message: NaN times 0
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.square().sum(1).sqrt()
    return (each * valid).sum((1, 2)) / valid.sum((1, 2))
