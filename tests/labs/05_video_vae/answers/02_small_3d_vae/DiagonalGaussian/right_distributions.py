"""By torch.distributions."""


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
        own, normal = torch.distributions.Normal(self.mean, self.std), torch.distributions.Normal(0.0, 1.0)
        return torch.distributions.kl_divergence(own, normal).reshape(len(self.mean), -1).sum(-1)
