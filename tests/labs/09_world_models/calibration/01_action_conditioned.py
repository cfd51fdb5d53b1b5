"""Measures what the grader of lab 09.1 leans on: five seeds of the reference and of what is broken.

    python tests/labs/09_world_models/calibration/01_action_conditioned.py
"""

import json
from pathlib import Path

from common.course.graders import values

STORE = Path(__file__).with_suffix(".json")
SEEDS = range(5)
THRESHOLD = 0.2


def fit(x, target, num_steps, learning_rate, sign=1.0) -> float:
    """The gain that descent finds; `sign=-1` climbs instead."""
    gain = 0.0
    for _ in range(num_steps):
        gain -= sign * learning_rate * 2 * ((gain * x - target) * x).mean().item()
    return gain


def error(seed: int, **broken) -> float:
    """How far the gain of a faded clip is from the truth, after the grader's 40 steps."""
    clip = values.noise(seed, 3, 4, 5, 6)
    options = {"num_steps": 40, "learning_rate": 1.0} | broken
    return round(abs(fit(0.4 * clip, clip, **options) - 2.5), 6)


if __name__ == "__main__":
    entry = {
        "measure": "the distance of the gain from 2.5",
        "better": "lower",
        "threshold": THRESHOLD,
        "reference": [error(seed) for seed in SEEDS],
        "broken": {
            "no step at all": [error(seed, num_steps=0) for seed in SEEDS],
            "one step": [error(seed, num_steps=1) for seed in SEEDS],
            "a learning rate of 0.01": [error(seed, learning_rate=0.01) for seed in SEEDS],
        },
    }
    STORE.write_text(json.dumps({"seeds": list(SEEDS), "outcomes": {"fit_learns": entry}}, indent=1) + "\n")
    print(STORE.read_text())
