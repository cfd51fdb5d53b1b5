"""How much a model has forgotten in a fine-tuning: the same questions before and after, pair by pair."""

from dataclasses import dataclass

import torch

Z = 1.96  # standard errors on each side of a 95 % interval


@dataclass(frozen=True)
class Forgetting:
    """What became of the questions that were right.

    Attributes:
        before: the part that was right before.
        after: the part that is right after.
        lost: `before - after`; negative where more was learned than lost.
        interval: the 95 % interval of `lost`, its two ends.
    """

    before: float
    after: float
    lost: float
    interval: tuple[float, float]


def forgetting(before: torch.Tensor, after: torch.Tensor) -> Forgetting:
    """Accuracy lost in a fine-tuning, with the 95 % interval of a *paired* comparison.

    Both models answer the same N questions, with the same noise. What counts is in how many pairs the answer changed:
    of N pairs, b were right and are wrong now, c were wrong and are right now. The interval is that of Agresti and Min
    (2005), which adds half a pair to each of the four kinds of pairs, so that it has a width where nothing changed:

        n = N + 2,   b' = b + 1/2,   c' = c + 1/2,   d = (b' - c') / n
        d ± 1.96 · sqrt(b' + c' - n d²) / n

    Args:
        before: bool `(N,)`: which questions were right before.
        after: bool `(N,)`, of the same questions, in the same order.

    Returns:
        Plain floats. `lost` is (b - c) / N, without the added halves. The ends of the interval are in rising order, and
        none is below -1 or above 1.

    Raises:
        ValueError: the two are not `(N,)` alike, or N is 0.
    """
    if before.ndim != 1 or before.shape != after.shape or not len(before):
        raise ValueError(f"before and after are (N,) alike, got {tuple(before.shape)} and {tuple(after.shape)}")
    num_pairs = len(before)
    lost, learned = (before & ~after).sum().item(), (~before & after).sum().item()
    n, b, c = num_pairs + 2, lost + 0.5, learned + 0.5
    d = (b - c) / n
    half = Z * (b + c - n * d * d) ** 0.5 / n
    return Forgetting(
        before=before.double().mean().item(),
        after=after.double().mean().item(),
        lost=(lost - learned) / num_pairs,
        interval=(max(-1.0, d - half), min(1.0, d + half)),
    )
