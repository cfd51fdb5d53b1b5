"""How sure a counted share is: its confidence interval."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """How many of the clips are right, with the 95 % Wilson interval (Wilson 1927) of their share.

    Unlike share ± 1.96 standard errors it never leaves [0, 1], and it has a width where none or all are right.

    Attributes:
        right: how many.
        total: of how many, at least one.
    """

    right: int
    total: int

    def __post_init__(self):
        if not 0 <= self.right <= self.total or self.total < 1:
            raise ValueError(f"{self.right} of {self.total} is no share")

    @property
    def value(self) -> float:
        """The share, from 0 to 1."""
        return self.right / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Its two ends, from 0 to 1."""
        z, n, p = 1.96, self.total, self.value
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.0%} ({low:.0%} to {high:.0%})"
