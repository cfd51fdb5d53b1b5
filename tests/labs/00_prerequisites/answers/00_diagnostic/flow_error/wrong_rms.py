"""Takes the root of the mean.

Message: root mean square
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.square().sum(1)
    return (torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))).sqrt()
