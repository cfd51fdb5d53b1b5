"""Adds |u| and |v| errors.

Message: walk along the grid
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.abs().sum(1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
