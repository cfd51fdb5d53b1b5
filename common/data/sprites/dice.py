"""Random numbers by key: the same key gives the same numbers on any machine, in any version."""

from collections.abc import Iterable

import numpy as np


class Dice:
    """Numbers from a counter-based generator, whose bits `numpy` promises to keep for good.

    Args:
        key: one or two whole numbers, not negative; other keys give other, independent numbers.
    """

    def __init__(self, *key: int):
        self.bits = np.random.Philox(key=(*key, 0)[:2])

    def numbers(self, count: int) -> np.ndarray:
        """Evenly distributed in [0, 1), `(count,)`."""
        return (self.bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def chance(self, probability: float) -> bool:
        return bool(self.numbers(1)[0] < probability)

    def choice(self, options: Iterable, *, but: Iterable = ()):
        """One of the options, but none of `but`; each as likely as the others."""
        options = [option for option in options if option not in but]
        return options[int(len(options) * self.numbers(1)[0])]
