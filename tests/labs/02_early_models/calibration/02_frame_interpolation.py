"""Measures what the outcome test of lab 02.2 may ask for: `python calibrate_02_frame_interpolation.py`.

Five seeds each of the reference and of two ways of being wrong that still run: flows that are always zero, and flows
to the wrong picture. The grader's threshold must lie between; this prints and writes it all.
"""

import importlib.util
import json
from pathlib import Path

import torch

from common.models.interpolator import Interpolator

HERE = Path(__file__).parent
SEEDS = range(5)


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
    """Train all of them; write `calibration_02_frame_interpolation.json`; fail if the threshold separates nothing."""
    spec = importlib.util.spec_from_file_location("grader", HERE / "test_02_frame_interpolation.py")
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    torch.set_num_threads(1)
    kinds = {"reference": Interpolator, "motionless": Motionless, "backwards": Backwards}
    found = {name: [round(grader.trained_gain(kind, seed), 2) for seed in SEEDS] for name, kind in kinds.items()}
    document = {"what": "dB above the mean of both pictures", "threshold": grader.THRESHOLD}
    document |= {"training": grader.TRAINING, "seeds": list(SEEDS), "found": found}
    (HERE / "calibration_02_frame_interpolation.json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    worst, best_broken = min(found["reference"]), max(found["motionless"] + found["backwards"])
    assert best_broken < grader.THRESHOLD < worst, f"{grader.THRESHOLD} is not between {best_broken} and {worst}"


if __name__ == "__main__":
    main()
