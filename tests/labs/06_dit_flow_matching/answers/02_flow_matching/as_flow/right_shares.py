"""By the share of the data."""


def as_flow(x, level):
    both = torch.stack([level.signal, level.noise]).sum(dim=0)
    return x.div(beside(both, x)), 1 - level.signal / both
