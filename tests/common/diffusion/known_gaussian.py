"""A world in which everything is known: data that are normally distributed, and what a perfect model predicts there."""

from dataclasses import dataclass

import torch

from common.diffusion.convert import join
from common.diffusion.paths import Level, beside


@dataclass(frozen=True)
class Gaussian:
    """Data of a mean and a standard deviation, every number independent of the others."""

    mean: float
    std: float

    def at(self, level: Level, noise: torch.Tensor) -> torch.Tensor:
        """Where the probability flow carries this noise: signal · mean + √(signal² std² + noise²) · noise."""
        a, b = beside(level.signal, noise), beside(level.noise, noise)
        return a * self.mean + (a**2 * self.std**2 + b**2).sqrt() * noise

    def prediction(self, x: torch.Tensor, level: Level, kind: str) -> torch.Tensor:
        """What the best model says: a prediction made of the conditional means of x0 and eps, given x."""
        a, b = beside(level.signal, x), beside(level.noise, x)
        rest = (x - a * self.mean) / (a**2 * self.std**2 + b**2)
        return join(self.mean + a * self.std**2 * rest, b * rest, kind, level)
