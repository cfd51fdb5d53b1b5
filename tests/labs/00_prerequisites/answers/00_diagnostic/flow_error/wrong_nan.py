"""Multiplies by the mask.

Message: choose pixels
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.square().sum(1).sqrt()
    return (each * valid).sum((1, 2)) / valid.sum((1, 2))
