"""Counts each valid pixel twice, for u and for v.

Message: averaged over the valid pixels
"""


def flow_error(flow, target, valid):
    e = (flow - target).norm(dim=1)
    return torch.where(valid, e, 0).sum((1, 2)) / (2 * valid.sum((1, 2)))
