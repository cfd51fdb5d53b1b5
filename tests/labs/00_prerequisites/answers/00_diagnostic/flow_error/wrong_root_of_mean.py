"""Averages u² and v² under the root.

Message: averaged, not added
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.square().mean(1).sqrt()
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
