"""Clips of many sizes in batches: what padding computes for nothing, and what buckets throw away.

A size is `(T, H, W)`: frames, rows and columns, of pixels or of tokens.
"""

from collections.abc import Sequence
from math import prod

Size = tuple[int, int, int]


def padding_share(lengths: Sequence[int], batch_size: int) -> float:
    """The part of all computed tokens that is padding, when each batch is as long as its longest clip.

    Args:
        lengths: tokens of each clip, in the order in which they are batched; a last, smaller batch counts.
        batch_size: clips of a batch.

    Raises:
        ValueError: there is no clip, or a batch of none.
    """
    if not lengths or batch_size < 1:
        raise ValueError(f"batches of {batch_size} of {len(lengths)} clips: there must be at least one of each")
    batches = [lengths[start : start + batch_size] for start in range(0, len(lengths), batch_size)]
    return 1 - sum(lengths) / sum(len(batch) * max(batch) for batch in batches)


def fitting_bucket(size: Size, buckets: Sequence[Size]) -> Size | None:
    """The largest bucket that a clip fills without being stretched: no axis is longer than the clip's.

    None where even the smallest is too large. Training code drops such clips, often without a word.
    """
    fitting = [bucket for bucket in buckets if all(b <= n for b, n in zip(bucket, size))]
    return max(fitting, key=prod, default=None)


def lost_share(size: Size, bucket: Size | None) -> float:
    """The part of a clip that is lost in this bucket: cut, skipped or averaged away. 1 for no bucket."""
    return 1.0 if bucket is None else 1 - prod(bucket) / prod(size)
