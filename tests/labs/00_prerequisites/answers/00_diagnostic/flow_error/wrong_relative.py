"""Divides by the truth's length.

Message: averaged over the valid pixels
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.norm(dim=1) / target.norm(dim=1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
