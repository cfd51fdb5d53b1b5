"""Replaces NaN by zero and counts all.

Message: not valid
"""


def flow_error(flow, target, valid):
    off = flow - target.nan_to_num(0, 0, 0)
    return off.square().sum(1).sqrt().mean((1, 2))
