"""Divides by the truth's length.

Message: length of the truth
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.norm(dim=1) / target.norm(dim=1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
