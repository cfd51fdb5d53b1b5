"""Compares the lengths of the two flows.

Message: difference of the two lengths
"""


def flow_error(flow, target, valid):
    each = (flow.norm(dim=1) - target.norm(dim=1)).abs()
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
