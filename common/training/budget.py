"""Train for a number of core-seconds: what gives the arms of a comparison equal time, on whatever machine they run.

    curve = train_for(recipe, 1200, "runs/mini/seed0")    20 minutes of one core
    curve[-1]["core_seconds"], curve[-1]["right"]

A core-second is a second of processor time, over all threads. Other programs on the machine take nothing from a run
that is counted in it. A short trial run finds out how long a step takes, and so how many steps there will be: they are
fixed before the first one, because a learning rate that decays has to know its end.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from common.files import write_text
from common.training.errors import TrainingError
from common.training.loop import train
from common.training.recipe import Recipe, Settings
from common.training.records import read_log

NUM_TRIAL, NUM_WARM = 20, 5  # steps of the trial run, and those at its beginning that do not count


def train_for(
    recipe: Recipe,
    core_seconds: float,
    folder: str | Path,
    *,
    preset: str = "cpu",
    settings: Settings | None = None,
    num_looks: int = 5,
    quiet: bool = False,
) -> list[dict[str, float]]:
    """Train a recipe's stage "main" for so long, and measure it on the way. A run that was stopped goes on.

    Args:
        recipe: what is trained; its `measure` says how good the running mean of the weights is.
        core_seconds: of the steps alone. What `measure` takes is not counted.
        folder: of this run: the trial run is in `trial/`, everything else as `train` writes it.
        preset: "ci" or "cpu".
        settings: in place of the recipe's own; their number of steps does not count.
        num_looks: how often it is measured, the last time at the end.
        quiet: no progress bar.

    Returns:
        For each look what the log says of its step (the loss, what `recipe.measure` found), with `core_seconds`: the
        time that the steps up to there really took.

    Raises:
        ValueError: the time is not positive, or there is no look.
        TrainingError: as `train`; or the folder holds a run with another budget.
    """
    if not core_seconds > 0 or num_looks < 1:
        raise ValueError(f"a run has some core-seconds and at least one look, got {core_seconds=}, {num_looks=}")
    folder = Path(folder)
    settings = settings or recipe.at("main", preset)[1]
    steps = _fixed_steps(recipe, core_seconds, folder, preset, settings, quiet)
    every = -(-steps // num_looks)
    settings = replace(settings, steps=steps, measure_every=every, checkpoint_every=max(1, steps // 20))
    train(recipe, preset, folder=folder, settings=settings, quiet=quiet)
    due = {*range(every, steps, every), steps}
    lines = [line for line in read_log(folder) if line["step"] + 1 in due]
    return [line | {"core_seconds": line["cpu_seconds"]} for line in lines]


def steps_in(step: Callable[[], object], core_seconds: float) -> int:
    """How many calls of `step` fit into so many core-seconds; at least one. A first call is not counted: it warms up.

    Args:
        step: one training step.
        core_seconds: of this process.
    """
    step()
    began, done = time.process_time(), 0
    while time.process_time() - began < core_seconds:
        step()
        done += 1
    return max(1, done)


def _fixed_steps(recipe: Recipe, core_seconds: float, folder: Path, preset: str, settings: Settings, quiet) -> int:
    """How many steps the run has: as many as it had when it was begun."""
    place = folder / "budget.json"
    if place.is_file():
        known = _read(place)
        if known["core_seconds"] != core_seconds:
            raise TrainingError(
                f"{folder} holds a run of {known['core_seconds']:g} core-seconds, not of {core_seconds:g}. Choose "
                "another folder for this one."
            )
        return known["steps"]
    trial = replace(settings, steps=NUM_TRIAL, log_every=1, measure_every=0, sheet_every=0, checkpoint_every=NUM_TRIAL)
    bare: Any = replace(recipe, measure=None, sheet=None, finish=None)
    train(bare, preset, folder=folder / "trial", settings=trial, quiet=True)
    times = [line["cpu_seconds"] for line in read_log(folder / "trial")][NUM_WARM:]
    step = statistics.median(after - before for before, after in pairwise(times))
    steps = max(1, round(core_seconds / max(step, 1e-4)))
    write_text(place, json.dumps({"core_seconds": core_seconds, "steps": steps}) + "\n")
    return steps


def _read(place: Path) -> dict:
    """A folder's `budget.json`.

    Raises:
        TrainingError: it is not what this module wrote.
    """
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
        if known["core_seconds"] > 0 and type(known["steps"]) is int and known["steps"] > 0:
            return known
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise TrainingError(f"{place} is not what a run on a budget wrote. Delete {place.parent} to begin anew.")
