"""Divides by all pixels.

Message: divides by all pixels
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.square().sum(1).sqrt()
    return torch.where(valid, each, 0).mean((1, 2))
