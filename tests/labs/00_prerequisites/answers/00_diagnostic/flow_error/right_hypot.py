"""With hypot, and nanmean over what is left."""


def flow_error(flow, target, valid):
    off = flow - target
    return torch.where(valid, torch.hypot(off[:, 0], off[:, 1]), torch.nan).flatten(1).nanmean(1)
