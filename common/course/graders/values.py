"""Inputs for tests: seeded, not symmetric, no two sizes equal unless a test asks for it."""

from typing import Any

import numpy as np
import torch

from common.course.graders.comparing import same

__all__ = ["bytes_", "coins", "distinct", "generators", "noise", "ramp", "same", "uniform", "whole"]


def noise(seed: int, *size: int, scale: float = 1.0, dtype=torch.float32) -> torch.Tensor:
    """Gaussian noise of this size: other seeds, other numbers."""
    drawn = torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (drawn * scale).to(dtype)


def uniform(seed: int, *size: int, low: float = -1.0, high: float = 1.0, dtype=torch.float32) -> torch.Tensor:
    """Uniform numbers in [low, high)."""
    drawn = torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (drawn * (high - low) + low).to(dtype)


def bytes_(seed: int, *size: int) -> np.ndarray:
    """uint8 numbers, each drawn by itself, so that no axis can be mistaken for another."""
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def whole(seed: int, *size: int, below: int) -> torch.Tensor:
    """Whole numbers from 0 up to, not including, `below`, int64; the first one is the largest that there can be."""
    drawn = torch.randint(below, size, generator=torch.Generator().manual_seed(seed))
    drawn.view(-1)[:1] = below - 1
    return drawn


def generators(seed) -> Any:
    """A generator of this seed, or a list for a tuple of seeds; None for None."""
    if isinstance(seed, tuple):
        return [generators(one) for one in seed]
    return None if seed is None else torch.Generator().manual_seed(seed)


def coins(seed: int, *size: int) -> torch.Tensor:
    """True and False, both of them present."""
    drawn = torch.rand(*size, generator=torch.Generator().manual_seed(seed)) < 0.5
    drawn.view(-1)[0], drawn.view(-1)[-1] = True, False
    return drawn


def distinct(seed: int, *size: int) -> torch.Tensor:
    """The whole numbers from 0 on in random order, as floats: every place of the tensor can be told from its value."""
    count = int(np.prod(size))
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).float().reshape(size)


def ramp(*size: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Evenly rising numbers from `low` to `high`."""
    return torch.linspace(low, high, int(np.prod(size)), dtype=torch.float64).float().reshape(size)
