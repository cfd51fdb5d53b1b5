"""Measures the outcome of lab 02.1's grader: the library's parts, and the same without a memory, five seeds each.

    python tests/labs/02_early_models/calibration/01_moving_mnist_predictor.py

Each is trained by the grader's own `forecast_error`. The threshold lies half-way, by ratio, between the worst of the
reference and the best without memory. The numbers go into the JSON file beside this one.
"""

import importlib.util
import json
import math
import time
from pathlib import Path
from types import SimpleNamespace

import torch

from common.course.graders import outcomes
from common.evaluation.prediction import error_per_frame
from common.models.convlstm import ConvLSTMPredictor, prediction_loss

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
SEEDS = range(5)


class Amnesia(ConvLSTMPredictor):
    """Every step begins anew."""

    def step(self, frame, state=None):
        return super().step(frame, None)


def main():
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    found = {}
    for name, predictor in (("reference", ConvLSTMPredictor), ("without memory", Amnesia)):
        lab = SimpleNamespace(
            ConvLSTMPredictor=predictor, prediction_loss=prediction_loss, error_per_frame=error_per_frame
        )
        began = time.process_time()
        found[name] = [round(grader.forecast_error(lab, seed), 4) for seed in SEEDS]
        print(name, found[name], f"{(time.process_time() - began) / len(SEEDS):.2f} s each")
    threshold = round(math.sqrt(max(found["reference"]) * min(found["without memory"])), 3)
    outcome = {"measure": "the squared error of predicted frames, per pixel, in a range of 1", "better": "lower",
               "threshold": threshold, "reference": found.pop("reference"), "broken": found}  # fmt: skip
    document = {"seeds": list(SEEDS), "outcomes": {"learns_which_way": outcome}}
    HERE.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken
    print("threshold", threshold)


if __name__ == "__main__":
    main()
