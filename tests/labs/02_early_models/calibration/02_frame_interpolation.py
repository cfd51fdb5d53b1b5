"""Measures the outcome of lab 02.2's grader: the reference, and two searches that still run, five seeds each.

    python tests/labs/02_early_models/calibration/02_frame_interpolation.py

Each is trained by the grader's own `trained_gain`. The threshold must lie between the reference and what is broken. The
numbers go into the JSON file beside this one.
"""

import importlib.util
import json
from pathlib import Path

import torch

from common.course.graders import outcomes
from common.models.interpolator import Interpolator

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
SEEDS = range(5)
THRESHOLD = 3.0  # dB
MEASURE = "the gain of the middle over the mean of both pictures, in dB,"


class Motionless(Interpolator):
    """Broken: nothing is ever moved."""

    def find_motion(self, first, last):
        flows, hidden = super().find_motion(first, last)
        return torch.zeros_like(flows), hidden


class Backwards(Interpolator):
    """Broken: the flows are those to the other picture."""

    def find_motion(self, first, last):
        flows, hidden = super().find_motion(first, last)
        return flows.roll(2, dims=1), hidden


def main():
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    kinds = {"reference": Interpolator, "nothing is moved": Motionless, "flows to the wrong picture": Backwards}
    found = {}
    for name, kind in kinds.items():
        found[name] = [round(grader.trained_gain(kind, seed), 2) for seed in SEEDS]
        print(name, found[name])
    outcome = {"measure": MEASURE, "better": "higher", "threshold": THRESHOLD, "reference": found.pop("reference"),
               "broken": found}  # fmt: skip
    document = {"seeds": list(SEEDS), "outcomes": {"follows": outcome}}
    HERE.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken


if __name__ == "__main__":
    main()
