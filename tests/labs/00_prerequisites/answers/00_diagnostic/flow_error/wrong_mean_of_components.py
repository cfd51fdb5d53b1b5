"""Takes the mean of |u| and |v| errors.

Message: √(u² + v²)
"""


def flow_error(flow, target, valid):
    off = flow - target
    each = off.abs().mean(1)
    return torch.where(valid, each, 0).sum((1, 2)) / valid.sum((1, 2))
