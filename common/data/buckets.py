"""Buckets: clips of many shapes in batches of one shape each.

Shapes are `(num_frames, height, width)`, frames and pixels. A bucket is a shape that batches may have.
"""

import math
from collections.abc import Sequence

import torch

Shape = tuple[int, int, int]


def num_tokens(shape: Shape, compression: Shape = (4, 16, 16)) -> int:
    """Tokens of a clip: of its first frame alone, and of each `compression[0]` frames after it.

    Raises:
        ValueError: the shape is none that the compression divides: 1 + 4 k frames, multiples of 16.
    """
    (num_frames, height, width), (by_frames, by_rows, by_columns) = shape, compression
    if num_frames < 1 or (num_frames - 1) % by_frames or height % by_rows or width % by_columns:
        raise ValueError(f"{shape} is not 1 + {by_frames} k frames of multiples of {by_rows} and {by_columns} pixels")
    return (1 + (num_frames - 1) // by_frames) * (height // by_rows) * (width // by_columns)


def nearest_bucket(shape: Shape, buckets: Sequence[Shape]) -> Shape | None:
    """Aspect-ratio bucketing: the bucket into which a clip fits without being enlarged, and loses least.

    A bucket fits if it has no more frames, no more rows and no more columns than the clip. (To bring the clip there it
    is made smaller, cropped to the bucket's aspect ratio, and cut.) Of those that fit, the bucket is chosen by, in this
    order:

    1. the most frames;
    2. the nearest aspect ratio: the smallest |log(width / height of the clip) - log(width / height of the bucket)|,
       where values that differ by less than 1e-9 are equal;
    3. the most pixels, height · width;
    4. the first in the list.

    Args:
        shape: of the clip.
        buckets: in any order.

    Returns:
        One of the buckets, or None where none fits: a caller should count such clips, not drop them silently.

    Raises:
        ValueError: there are no buckets at all.
    """
    if not buckets:
        raise ValueError("there are no buckets to choose from")
    fitting = [bucket for bucket in buckets if all(b <= s for b, s in zip(bucket, shape))]
    if not fitting:
        return None
    scores = []
    for bucket in fitting:
        off = abs(math.log(shape[2] / shape[1]) - math.log(bucket[2] / bucket[1]))
        scores.append((-bucket[0], round(off, 9), -bucket[1] * bucket[2]))
    return fitting[scores.index(min(scores))]


def bucket_batches(shapes: Sequence[Shape], max_tokens: int, seed: int = 0) -> list[list[int]]:
    """One epoch of batches: every clip once, the clips of a batch all of one shape, about as many tokens in each.

    A batch of a shape holds `max_tokens // num_tokens(shape)` clips, and at least one. The clips of each shape are
    shuffled and cut into batches of that size; the last one of a shape may be smaller, none is dropped. Then the order
    of all batches is shuffled, so that shapes alternate.

    Args:
        shapes: of each clip. Clip i is the number i.
        max_tokens: of a batch of more than one clip.
        seed: the same one gives the same batches, another one others. Torch's global random state is neither read nor
            changed.

    Returns:
        The batches: lists of clip numbers.

    Raises:
        ValueError: `max_tokens` is below 1, or a shape is none that `num_tokens` takes.
    """
    if max_tokens < 1:
        raise ValueError(f"a batch needs room for tokens, got max_tokens={max_tokens}")
    generator = torch.Generator().manual_seed(seed)
    members: dict[Shape, list[int]] = {}
    for number, shape in enumerate(shapes):
        members.setdefault(tuple(shape), []).append(number)
    batches = []
    for shape, numbers in members.items():
        size = max(1, max_tokens // num_tokens(shape))
        shuffled = [numbers[k] for k in torch.randperm(len(numbers), generator=generator).tolist()]
        batches += [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    return [batches[k] for k in torch.randperm(len(batches), generator=generator).tolist()]
