"""What a variational encoder puts out: a normal distribution for each number of the latent."""

import torch


class DiagonalGaussian:
    """Independent normal distributions, one for each number of a latent of any number of axes.

    It has the interface of diffusers' `DiagonalGaussianDistribution`, whose `kl` sums the axes of a picture only: on
    `(B, C, T, H, W)` it leaves one axis standing. This one sums everything but the batch.

    Args:
        moments: `(B, 2 C, ...)`: C means, then C logarithms of variances, which are held between -30 and 20.
    """

    def __init__(self, moments: torch.Tensor):
        self.mean, logvar = moments.float().chunk(2, dim=1)  # (B, C, ...) each
        self.logvar = logvar.clamp(-30.0, 20.0)
        self.std = torch.exp(0.5 * self.logvar)

    def sample(self, generator: torch.Generator | None = None) -> torch.Tensor:
        """One draw, `(B, C, ...)`: mean + std · eps (Kingma, Welling 2013, arXiv:1312.6114)."""
        eps = torch.randn(self.mean.shape, generator=generator, device=generator.device if generator else None)
        return self.mean + self.std * eps.to(self.mean)

    def mode(self) -> torch.Tensor:
        """The most likely latent, `(B, C, ...)`: the mean."""
        return self.mean

    def kl(self) -> torch.Tensor:
        """Kullback-Leibler divergence of this distribution from the standard normal one, in nats.

        It is ½ Σ (mean² + variance - 1 - log variance), the sum over all axes of the latent but the batch, however many
        there are: no mean over anything (Kingma, Welling 2013, arXiv:1312.6114, appendix B).

        Returns:
            `(B,)`, float32: one number per sample.
        """
        each = 0.5 * (self.mean.square() + self.std.square() - 1.0 - self.logvar)  # (B, C, ...)
        return each.flatten(1).sum(dim=1)
