"""Where the grader of lab 02.1 draws its line: the library's parts, and the same without a memory, five seeds each.

    python tests/labs/02_early_models/calibration/01_moving_mnist_predictor.py

Each is trained by the grader's own `forecast_error`. The threshold lies half-way, by ratio, between the worst of the
reference and the best without memory. What was found stands in the JSON file beside this one.
"""

import importlib.util
import json
import math
import time
from pathlib import Path
from types import SimpleNamespace

import torch

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
    threshold = math.sqrt(max(found["reference"]) * min(found["without memory"]))
    found |= {"threshold": round(threshold, 3), "unit": "squared error of predicted frames, a pixel, range 1"}
    HERE.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("threshold", found["threshold"])


if __name__ == "__main__":
    main()
