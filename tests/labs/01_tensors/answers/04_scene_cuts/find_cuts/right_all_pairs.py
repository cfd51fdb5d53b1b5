"""All distances as one table, then minima of its blocks.
"""


def find_cuts(descriptors, *, window=4, ratio=2.5, floor=0.2):
    if descriptors.ndim != 2:
        raise ValueError(f"shape {descriptors.shape} has not two axes")
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    if ratio < 2:
        raise ValueError(f"ratio must be at least 2, got {ratio}")
    if floor < 0:
        raise ValueError(f"floor must be at least 0, got {floor}")
    x = torch.tensor(np.ascontiguousarray(descriptors)).double()
    table = torch.cdist(x, x, p=1) if len(x) else torch.zeros(0, 0)
    steps = table.diagonal(1).tolist()
    cuts = []
    for t in range(1, len(x)):
        first, last = max(0, t - window), min(len(x), t + window)
        between = table[first:t, t:last].min().item()
        calm = max(steps[first : t - 1], default=0) / 2 + max(steps[t : last - 1], default=0) / 2
        if between > max(floor, ratio * calm):
            cuts.append(t)
    return cuts
