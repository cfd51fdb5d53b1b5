"""Flow by flow, by indexing."""


def flow_error(flow, target, valid):
    return torch.stack([(f - t).norm(dim=0)[m].mean() for f, t, m in zip(flow, target, valid)])
