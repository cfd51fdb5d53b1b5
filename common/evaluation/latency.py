"""Latency of a call, honestly, and what a screen makes of it. For lab 09.5."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch


class Latency(NamedTuple):
    """How long one call takes, in milliseconds.

    Attributes:
        median: by the wall clock.
        p95: 95th percentile, by the wall clock: what a player feels.
        cpu: median of the processor's time, which other programs lengthen less.
    """

    median: float
    p95: float
    cpu: float


def measure_latency(
    tasks: Mapping[str, Callable],
    rounds: int = 30,
    warm_up: int = 3,
    num_threads: int = 1,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.process_time,
) -> dict[str, Latency]:
    """Latency of several tasks: warm-up, then interleaved rounds, with the number of threads fixed.

    Every round calls each task once, in their order. So what the machine does beside it hits all of them alike. The
    first `warm_up` rounds are not timed, and no clock is read in them. Then come the `rounds` that count. In these,
    both clocks are read once right before each call and once right after it.

    PyTorch uses `num_threads` threads from the first call to the last, and afterwards as many as it did before. That
    also holds if a task raises; its error is passed on.

    Args:
        tasks: name -> function of no arguments.
        rounds: that are timed, at least 1.
        warm_up: rounds before them, at least 0.
        num_threads: for `torch.set_num_threads`, at least 1.
        clock: the wall clock, in seconds.
        cpu_clock: the processor's time, in seconds.

    Returns:
        Name -> `Latency(median, p95, cpu)` in milliseconds, in the order of `tasks`. By the wall clock, the median and
        the 0.95 quantile, linear between the two nearest times, as `np.quantile` takes it; by the processor's clock,
        the median.

    Raises:
        ValueError: `rounds`, `warm_up` or `num_threads` is too small. Then nothing is called.
    """
    for name, value, least in (("rounds", rounds, 1), ("warm_up", warm_up, 0), ("num_threads", num_threads, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    wall, cpu = {name: [] for name in tasks}, {name: [] for name in tasks}
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        for number in range(warm_up + rounds):
            for name, task in tasks.items():
                if number < warm_up:
                    task()
                    continue
                began, began_cpu = clock(), cpu_clock()
                task()
                ended_cpu, ended = cpu_clock(), clock()
                wall[name].append(1000 * (ended - began))
                cpu[name].append(1000 * (ended_cpu - began_cpu))
    finally:
        torch.set_num_threads(before)
    return {
        name: Latency(statistics.median(wall[name]), float(np.quantile(wall[name], 0.95)), statistics.median(cpu[name]))
        for name in tasks
    }


class Pacing(NamedTuple):
    """What is seen of a game on a screen.

    Attributes:
        fps: new frames per second.
        late: the part of the frames that missed the first refresh after they were asked for.
    """

    fps: float
    late: float


def frame_pacing(compute: Sequence[float], transport: float, refresh_rate: float = 60.0) -> Pacing:
    """The frame budget: what is left of a model's speed when frames travel, and a screen shows them at its refreshes.

    The player asks for a frame at a refresh of the screen. The frame is ready after its compute time and the
    transport. It is shown at the first refresh from then on, at the earliest at the one after the request. At that
    refresh the player asks for the next frame: one frame in flight. A frame that is ready exactly at a refresh is
    shown at it. (A billionth of a refresh period is nothing: rounding must not cost a refresh.)

    Args:
        compute: milliseconds that each frame takes the model, at least one frame.
        transport: milliseconds on the way, there and back, the same for every frame.
        refresh_rate: refreshes per second.

    Returns:
        `fps`: the number of frames per second, from the first request to the refresh that shows the last frame;
        `late`: the part of the frames, 0 to 1, that took two refresh periods or more.

    Raises:
        ValueError: there are no frames.
    """
    if not len(compute):
        raise ValueError("there are no frames to be paced")
    period = 1000 / refresh_rate
    periods = [max(1, math.ceil((float(spent) + transport) / period - 1e-9)) for spent in compute]
    return Pacing(len(periods) * refresh_rate / sum(periods), sum(count > 1 for count in periods) / len(periods))
