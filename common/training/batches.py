"""Which samples a process trains on at a step, and how they arrive in time."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from common.training.errors import TrainingError
from common.training.recipe import Settings


def samples_of_step(step: int, settings: Settings, rank: int = 0, num_processes: int = 1) -> list[list[int]]:
    """The indices that process `rank` trains on at a step, one list a micro-batch.

    Step k has the samples `kB … kB + B - 1` (after `first_sample`); each process takes its slice, cut into
    `micro_batches` equal parts. All parts are of one size, so the mean of their means is the mean over the batch.

    Raises:
        TrainingError: the batch does not divide into that many parts.
    """
    parts = num_processes * settings.micro_batches
    if settings.batch_size % parts:
        raise TrainingError(
            f"A batch of {settings.batch_size} does not divide into {num_processes} processes x "
            f"{settings.micro_batches} micro-batches. Change the batch size, the micro-batches or the processes."
        )
    size = settings.batch_size // parts
    first = settings.first_sample + step * settings.batch_size + rank * settings.micro_batches * size
    return [list(range(first + k * size, first + (k + 1) * size)) for k in range(settings.micro_batches)]


def ahead(load: Callable[[Any], Any], keys: Iterable, num_ahead: int) -> Iterator:
    """`map(load, keys)`, with up to `num_ahead` items made beforehand by another thread; 0 for none."""
    if num_ahead == 0:
        yield from map(load, keys)
        return
    keys = iter(keys)
    worker = ThreadPoolExecutor(max_workers=1)
    try:
        waiting = [worker.submit(load, key) for key in islice(keys, num_ahead)]
        while waiting:
            first = waiting.pop(0)
            waiting += [worker.submit(load, key) for key in islice(keys, 1)]
            yield first.result()
    finally:
        worker.shutdown(cancel_futures=True)
