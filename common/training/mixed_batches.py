"""Batches for joint training on images and videos: so many sequences are clips, the others are packed pictures."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MixedBatch:
    """What one batch consists of.

    Attributes:
        clips: numbers of clips, int64 `(K,)`.
        pictures: numbers of pictures, int64 `(P, T)`: each row is one sequence.
    """

    clips: torch.Tensor
    pictures: torch.Tensor


def mix_batches(
    num_clips: int,
    num_pictures: int,
    picture_ratio: float,
    batch_size: int,
    generator: torch.Generator,
    num_frames: int = 4,
) -> Iterator[MixedBatch]:
    """Mixed batches of clips and packed pictures, without end.

    Every batch has B = `batch_size` sequences. After n batches, floor(r · n · B + 1e-6) of all sequences so far are
    pictures, where r is the `picture_ratio`: what a batch cannot hold is owed to the next. So a ratio of 1/8 is kept
    with four sequences per batch too. (The 1e-6 is for ratios such as 0.1, which a float holds a little too large or
    too small.)

    Clips are taken in a random order, without replacement, until each was taken once. Then a new random order is
    drawn. A batch may hold the end of one order and the beginning of the next. Pictures likewise, in orders of their
    own, of which each sequence takes the next T.

    Args:
        num_clips: in the data set.
        num_pictures: in the data set.
        picture_ratio: r, from 0 to 1: the part of the sequences that are pictures. 0 is training on video alone.
        batch_size: B, at least 1.
        generator: decides the orders, and it alone: the same seed gives the same batches.
        num_frames: T, pictures per sequence, at least 1.

    Returns:
        An iterator of `MixedBatch`, with K + P = B in each; K or P may be 0.

    Raises:
        ValueError: the ratio is not from 0 to 1, or B or T is below 1, or a kind that the ratio asks for has no
            sample. It is raised by the call, before the first batch is asked for.
    """
    if not 0 <= picture_ratio <= 1:
        raise ValueError(f"the picture ratio is from 0 to 1, got {picture_ratio}")
    if batch_size < 1 or num_frames < 1:
        raise ValueError(f"a batch has at least one sequence of one frame, got {batch_size=}, {num_frames=}")
    if (picture_ratio < 1 and num_clips < 1) or (picture_ratio > 0 and num_pictures < 1):
        raise ValueError(f"there are {num_clips} clips and {num_pictures} pictures for a ratio of {picture_ratio}")

    def endless(count: int, generator: torch.Generator) -> Iterator[int]:
        while True:
            yield from torch.randperm(count, generator=generator).tolist()

    def take(numbers: Iterator[int], *shape: int) -> torch.Tensor:
        found = [next(numbers) for _ in range(math.prod(shape))]
        return torch.tensor(found, dtype=torch.int64).reshape(shape)

    def batches(clips: Iterator[int], pictures: Iterator[int], ratio: float, size: int, frames: int, take):
        given = 0
        for n in itertools.count(1):
            due = math.floor(ratio * n * size + 1e-6)
            yield MixedBatch(take(clips, size - due + given), take(pictures, due - given, frames))
            given = due

    orders = endless(num_clips, generator), endless(num_pictures, generator)
    return batches(*orders, picture_ratio, batch_size, num_frames, take)
