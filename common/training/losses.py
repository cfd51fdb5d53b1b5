"""Errors of restored clips and pictures, as losses: one number per batch, from the difference to the truth."""

import torch

TYPICAL = 0.05  # root mean square error of what is restored at 32 dB
FLOOR = 1e-6  # under the root, whose slope at 0 would be infinite


def rms(difference: torch.Tensor) -> torch.Tensor:
    """Root mean square error (RMSE) of each sample `(B, ...)`, then the mean over samples.

    Large errors on few pixels, which is what motion gives, count by their square. An easy sample counts as much as a
    hard one.
    """
    return (difference.square().flatten(1).mean(dim=1) + FLOOR).sqrt().mean()


def log_rms(difference: torch.Tensor) -> torch.Tensor:
    """Mean logarithm of the samples' errors, so of their decibels: ten per cent off count the same in every sample.

    Its gradient is that of `rms` for a sample whose error is `TYPICAL`.
    """
    return TYPICAL * (difference.square().flatten(1).mean(dim=1) + FLOOR).log().mean() / 2
