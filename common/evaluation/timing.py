"""A fair stopwatch, two biased ones as negative controls, and a machine on paper to try them on. For lab 01.1."""

import statistics
import time
from typing import NamedTuple


class Timing(NamedTuple):
    """How long one call took, over all rounds, in seconds."""

    median: float
    fastest: float
    slowest: float


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    """Times several tasks side by side, so that none has an advantage.

    First each task is called once, in their order, and not timed. Then come the rounds: in each, every task is timed
    once. Round r (0, 1, ...) begins with task number r, counted from 0 and around again after the last, and goes on in
    their order, around to the one before it: with three tasks A B C, then B C A, C A B, A B C, ...

    Args:
        tasks: dictionary, name -> function of no arguments; at least one. What it returns is dropped.
        rounds: how often each is timed, at least 1.
        clock: tells the time in seconds. Read once right before and once right after each timed call, and at no other
            moment.

    Returns:
        Dictionary, name -> `Timing(median, fastest, slowest)` of its `rounds` times, in the order of `tasks`. Of an
        even number of times the median is the mean of the two in the middle.

    Raises:
        ValueError: there are no tasks, or `rounds` is below 1 (the message names it). Then no task is called.
    """
    if not tasks:
        raise ValueError("there are no tasks to time")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    names = list(tasks)
    seconds = {name: [] for name in names}
    for name in names:
        tasks[name]()
    for first in range(rounds):
        for step in range(len(names)):
            name = names[(first + step) % len(names)]
            begin = clock()
            tasks[name]()
            seconds[name].append(clock() - begin)
    return {name: Timing(statistics.median(taken), min(taken), max(taken)) for name, taken in seconds.items()}


class PaperMachine:
    """A machine on paper, whose every second is known, to try a stopwatch on.

    One call of `work` takes 0.10 s, or 0.15 s from 1.0 s to 3.0 s, while a neighbour is busy. The first takes 0.25 s
    more, and the one that meets the hiccup at 4.0 s takes 1.2 s more. `clock` tells the time.
    """

    def __init__(self):
        self.now, self.is_cold, self.hiccup = 0.0, True, 4.0

    def clock(self):
        """Seconds since the machine was made."""
        return self.now

    def work(self):
        """The task that is timed."""
        seconds = 0.15 if 1.0 <= self.now < 3.0 else 0.10
        if self.is_cold:
            seconds, self.is_cold = seconds + 0.25, False
        if self.now < self.hiccup <= self.now + seconds:
            seconds += 1.2
        self.now += seconds


def time_as_they_come(tasks, rounds=1, clock=time.perf_counter):
    """A biased stopwatch, for comparison: each task once, as they come, so the first one pays for a cold machine."""
    return {name: Timing(seconds, seconds, seconds) for name, [seconds] in _one_by_one(tasks, 1, clock).items()}


def time_one_by_one(tasks, rounds=5, clock=time.perf_counter):
    """A biased stopwatch, for comparison: all rounds of one task, then all of the next; the mean, no median."""
    seconds = _one_by_one(tasks, rounds, clock)
    return {name: Timing(statistics.mean(taken), min(taken), max(taken)) for name, taken in seconds.items()}


def _one_by_one(tasks, rounds, clock) -> dict[str, list[float]]:
    seconds = {name: [] for name in tasks}
    for name, task in tasks.items():
        for _ in range(rounds):
            begin = clock()
            task()
            seconds[name].append(clock() - begin)
    return seconds
