"""Channels first, then one number after the other; square roots by hand."""


@dataclass(frozen=True)
class LatentStatistics:
    mean: torch.Tensor
    std: torch.Tensor

    @classmethod
    def fit(cls, latents):
        numbers = rearrange(latents, "b c t h w -> c (b t h w)").double()
        mean = numbers.mean(1)
        variance = ((numbers - mean[:, None]) ** 2).mean(1)
        if variance.min() <= 0:
            raise ValueError("a constant channel has no scale")
        return cls(mean=mean.float(), std=variance.sqrt().float())

    def normalize(self, latents):
        mean, std = (rearrange(x, "c -> 1 c 1 1 1") for x in (self.mean, self.std))
        return latents.sub(mean).div(std)

    def denormalize(self, latents):
        return torch.einsum("bcthw,c->bcthw", latents, self.std) + self.mean.view(-1, 1, 1, 1)
