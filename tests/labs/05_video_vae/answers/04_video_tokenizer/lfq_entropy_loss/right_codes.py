"""Distances to all codes, and a softmax."""


def lfq_entropy_loss(z, temperature=0.5, gamma=1.0):
    if z.shape[1] > 20:
        raise ValueError("too many bits")
    rows = z.float().transpose(0, 1).flatten(1).T
    bits = rows.shape[1]
    codes = torch.tensor([[1.0 if number >> bit & 1 else -1.0 for bit in range(bits)] for number in range(2**bits)])
    logs = torch.log_softmax(-(rows[:, None] - codes.to(rows)).pow(2).sum(-1) / temperature, dim=-1)
    sure = -(logs.exp() * logs).sum(-1).mean()
    mean = logs.exp().mean(0)
    spread = -(mean * (mean + 1e-20).log()).sum()
    return EntropyLoss(per_sample=sure, of_mean=spread, loss=sure - gamma * spread)
