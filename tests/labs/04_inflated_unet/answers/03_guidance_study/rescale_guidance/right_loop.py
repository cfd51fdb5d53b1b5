"""Sample by sample, in double precision."""


def rescale_guidance(guided, cond, rescale):
    if guided.shape != cond.shape or not (0 <= rescale <= 1):
        raise ValueError("it does not fit")
    rows = []
    for one, other in zip(guided.double(), cond.double()):
        spread = (one - one.mean()).square().sum().sqrt()
        if spread > 0 and not (one == one.flatten()[0]).all():
            one = one + rescale * (one * (other - other.mean()).square().sum().sqrt() / spread - one)
        rows.append(one)
    return torch.stack(rows).to(guided.dtype)
