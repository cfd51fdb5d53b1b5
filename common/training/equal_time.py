"""Several models trained turn by turn, so that each has had as many core-seconds as the others at any moment."""

import time
from collections.abc import Callable, Mapping


def equal_time_run(
    steps: Mapping[str, Callable[[], float]],
    core_seconds: float,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[tuple[float, float]]]:
    """Train the arms of a comparison for equal processor time. What slows the machine down meets all of them alike.

    At each turn, the arm that has used the least time so far makes one step. Among equals it is the first one in
    `steps`. The run ends as soon as every arm has used `core_seconds` or more.

    An arm's time is what its own steps took: `clock()` right after each step minus `clock()` right before it.

    Args:
        steps: for each arm's name, a function that makes one training step and returns its loss.
        core_seconds: for each arm.
        clock: the time so far, in seconds. `time.process_time` counts what this process computed, not what it waited.

    Returns:
        For each arm, in the order of `steps`, one pair per step: the arm's time after the step, and the loss.

    Raises:
        ValueError: `core_seconds` is not positive.
    """
    if not core_seconds > 0:
        raise ValueError(f"an arm is trained for some core-seconds, got {core_seconds}")
    curves = {name: [] for name in steps}
    used = dict.fromkeys(steps, 0.0)
    while used and min(used.values()) < core_seconds:
        name = min(used, key=used.get)
        began = clock()
        loss = steps[name]()
        used[name] += clock() - began
        curves[name].append((used[name], loss))
    return curves
