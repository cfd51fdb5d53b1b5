"""Counting modes: which kinds of thing a model makes, and which it has forgotten.

A generator that has collapsed may look perfect, one sample at a time. So it has to be counted: read every sample, name
its kind (its *mode*), and compare the list with that of the data.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from common.evaluation.sprite_reader.reading import SceneReading

ATTRIBUTES = ("shape", "color", "motion")


@dataclass(frozen=True)
class ModeReport:
    """What a list of samples covers of the data's modes.

    Attributes:
        known: the fraction of the samples whose mode is one of the data's.
        coverage: the fraction of the data's modes that at least one sample has.
        entropy: of the known samples' modes, nats: 0 for one mode, log K for K equally frequent ones.
        recall: the fraction of the data's clips that find a sample of their mode for themselves alone.
    """

    known: float
    coverage: float
    entropy: float
    recall: float

    @property
    def effective_modes(self) -> float:
        """So many equally frequent modes would have this entropy; 0 where no sample is known."""
        return math.exp(self.entropy) if self.known else 0.0


def clip_modes(
    readings: Sequence[SceneReading], attributes: Sequence[str] = ATTRIBUTES
) -> list[tuple[str, ...] | None]:
    """The mode of each clip: the words of its object; None where there is not exactly one, or a word was not read.

    Args:
        readings: what `read_sprites` gave.
        attributes: which words make a mode, of shape, color, size and motion.
    """
    modes: list[tuple[str, ...] | None] = []
    for reading in readings:
        words = [getattr(item, name) for item in reading.objects for name in attributes]
        is_read = len(reading.objects) == 1 and None not in words
        modes.append(tuple(words) if is_read else None)
    return modes


def mode_report(samples: Sequence[Hashable | None], data: Sequence[Hashable]) -> ModeReport:
    """Compare the modes of samples with those of the data.

    With n(m) samples and d(m) data clips of mode m, N samples and D data clips in all, and p(m) the fraction of the
    *known* samples that have mode m:

        known     = sum of n(m) over the data's modes, / N
        coverage  = number of the data's modes with n(m) > 0, / number of the data's modes
        entropy   = - sum of p(m) log p(m), natural logarithm
        recall    = sum over the data's modes of min(n(m) D / N, d(m)), / D

    A sample is known if its mode is one of the data's modes. An unread sample, or one of any other mode, is not known
    and still counts in N. Recall compares frequencies: samples that all share one mode recall that mode's fraction of
    the data and no more, however many they are. N and D may differ.

    Args:
        samples: the mode of each sample, in any order; None where it could not be read. Any other hashable value is a
            mode, also 0, "" and ().
        data: the mode of each clip of the data, in any order.

    Returns:
        The report. Where no sample is known, every number is 0.

    Raises:
        ValueError: one of the two is empty, or a clip of the data has no mode (None).
    """
    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
    if None in data:
        raise ValueError(f"{data.count(None)} of {len(data)} clips of the data could not be read")
    wanted = Counter(data)  # d(m)
    found = Counter(mode for mode in samples if mode in wanted)  # n(m)
    num_known, scale = found.total(), len(data) / len(samples)
    return ModeReport(
        known=num_known / len(samples),
        coverage=len(found) / len(wanted),
        entropy=sum(-n / num_known * math.log(n / num_known) for n in found.values()),
        recall=sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data),
    )
