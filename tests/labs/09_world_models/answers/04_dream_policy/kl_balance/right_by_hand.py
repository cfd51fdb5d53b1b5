"""The KL written out, one term after the other."""


def kl_balance(posterior, prior, *, dynamics=0.5, representation=0.1, free_nats=1.0):
    total = 0
    for weight, q, p in ((dynamics, posterior.detach(), prior), (representation, posterior, prior.detach())):
        nats = (q.exp() * (q - p)).sum(-1).sum(-1)
        total = total + weight * torch.where(nats < free_nats, torch.full_like(nats, free_nats), nats).mean()
    return total
