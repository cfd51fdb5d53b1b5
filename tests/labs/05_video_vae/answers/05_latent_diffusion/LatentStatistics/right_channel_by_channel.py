"""A loop over channels, and the last axis for broadcasting."""


@dataclass(frozen=True)
class LatentStatistics:
    mean: torch.Tensor
    std: torch.Tensor

    @classmethod
    def fit(cls, latents):
        channels = latents.float().unbind(dim=1)
        stds = [channel.std(correction=0) for channel in channels]
        for number, channel in enumerate(channels):
            if channel.min() == channel.max():
                raise ValueError(f"channel {number} does not vary")
        return cls(torch.stack([channel.mean() for channel in channels]), torch.stack(stds))

    def normalize(self, latents):
        last = latents.movedim(1, -1)
        return ((last - self.mean) / self.std).movedim(-1, 1)

    def denormalize(self, latents):
        return torch.stack([z * s + m for z, s, m in zip(latents.float().unbind(1), self.std, self.mean)], dim=1)
