"""Mean and standard deviation of each latent channel: what lies between an autoencoder and a diffusion model."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class LatentStatistics:
    """Per-channel normalization of latents, as `latents_mean` and `latents_std` in the configs of video autoencoders.

    Attributes:
        mean: of each channel, `(C,)` float32.
        std: standard deviation of each channel, `(C,)` float32.
    """

    mean: torch.Tensor
    std: torch.Tensor

    @classmethod
    def fit(cls, latents: torch.Tensor) -> "LatentStatistics":
        """Measure them over all samples, frames, rows and columns.

        Args:
            latents: `(B, C, T', H', W')`, raw, float16 or float32. They are converted to float32 first.

        Returns:
            The statistics. The variance is the mean squared distance from the mean: divided by N, not by N - 1.

        Raises:
            ValueError: the numbers of a channel are all equal, so it has no scale. (A spread may come out of rounding.)
        """
        std, mean = torch.std_mean(latents.float(), dim=(0, 2, 3, 4), correction=0)
        varies = latents.amax((0, 2, 3, 4)) > latents.amin((0, 2, 3, 4))  # (C,); False for a NaN too
        if not varies.all():
            raise ValueError(f"channel {int(varies.int().argmin())} is constant, or not finite")
        return cls(mean, std)

    def normalize(self, latents: torch.Tensor) -> torch.Tensor:
        """Raw latents to those that a diffusion model sees: `(B, C, T', H', W')` float32, any B, T', H' and W'."""
        return (latents - self.mean[:, None, None, None]) / self.std[:, None, None, None]

    def denormalize(self, latents: torch.Tensor) -> torch.Tensor:
        """The way back from `normalize`, for the decoder: `(B, C, T', H', W')` float32."""
        return latents * self.std[:, None, None, None] + self.mean[:, None, None, None]
