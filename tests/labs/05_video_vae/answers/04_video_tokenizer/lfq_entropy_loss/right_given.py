"""With the helper that is given, in full."""


def lfq_entropy_loss(z, temperature=0.5, gamma=1.0):
    if z.shape[1] > 20:
        raise ValueError(f"{z.shape[1]} channels are more than 20")
    logits = torch.movedim(z, 1, -1).reshape(-1, z.shape[1]).float() * (4 / temperature)
    q = code_probabilities(logits)

    def entropy(p):
        return -(p * p.clamp_min(1e-30).log()).sum(-1)

    first, second = entropy(q).mean(), entropy(q.mean(0))
    return EntropyLoss(first, second, first - gamma * second)
