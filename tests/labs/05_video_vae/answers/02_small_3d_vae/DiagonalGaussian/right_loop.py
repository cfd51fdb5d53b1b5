"""Sample by sample, term by term."""


class DiagonalGaussian:
    def __init__(self, moments: torch.Tensor):
        self.mean, logvar = moments.float().chunk(2, dim=1)
        self.logvar = logvar.clamp(-30.0, 20.0)
        self.std = torch.exp(0.5 * self.logvar)

    def sample(self, generator=None):
        eps = torch.randn(self.mean.shape, generator=generator, device=generator.device if generator else None)
        return self.mean + self.std * eps.to(self.mean)

    def mode(self):
        return self.mean

    def kl(self):
        costs = []
        for mean, logvar in zip(self.mean, self.logvar):
            costs.append((mean.pow(2).sum() + logvar.exp().sum() - logvar.sum() - mean.numel()) / 2)
        return torch.stack(costs)
