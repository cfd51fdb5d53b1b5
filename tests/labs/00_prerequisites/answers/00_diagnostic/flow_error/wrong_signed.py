"""Lets errors cancel.

Message: √(u² + v²)
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.sum(1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
