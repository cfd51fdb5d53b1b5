"""Cleans the truth in place.

Message: changed the target
"""


def flow_error(flow, target, valid):
    target.masked_fill_(~valid[:, None], 0.0)
    each = (flow - target).norm(dim=1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
