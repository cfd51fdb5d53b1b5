"""By torch.distributions."""


def kl_balance(posterior, prior, *, dynamics=0.5, representation=0.1, free_nats=1.0):
    from torch.distributions import Categorical, Independent, kl_divergence

    def kl(q, p):
        q, p = (Independent(Categorical(logits=x), 1) for x in (q, p))
        return torch.maximum(kl_divergence(q, p), torch.tensor(free_nats, dtype=posterior.dtype))

    first, second = kl(posterior.detach(), prior), kl(posterior, prior.detach())
    return dynamics * first.mean() + representation * second.mean()
