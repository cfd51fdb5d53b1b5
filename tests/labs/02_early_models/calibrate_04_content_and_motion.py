"""Where the threshold of lab 02.4's outcome test comes from: five seeds of the reference and of what is broken.

    python tests/labs/02_early_models/calibrate_04_content_and_motion.py

Writes `calibration_04_content_and_motion.json` beside it: nats a frame after the training of the grader's last test.
"""

import importlib.util
import json
import time
from pathlib import Path

import torch

from common.models.motion_prior import MotionPrior, mixture_log_prob

HERE = Path(__file__).parent
SEEDS = range(5)


class Forgets(MotionPrior):
    """Knows where a thing was, and not which way it goes: the state begins anew in every frame."""

    def forward(self, motion):
        z = motion.transpose(1, 2)
        before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)
        states, _ = self.rnn(before.flatten(0, 1)[:, None])
        return self.read_out(states[:, 0].unflatten(0, before.shape[:2]), before)


class Blind(MotionPrior):
    """Sees no frame at all: every frame gets what the first one gets."""

    def forward(self, motion):
        start = self.start.expand(len(motion), motion.shape[2], -1)
        states, _ = self.rnn(start[:, :1])
        return self.read_out(states.expand(-1, motion.shape[2], -1), start)


def main() -> None:
    spec = importlib.util.spec_from_file_location("grader", HERE / "test_04_content_and_motion.py")
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    found = {}
    for name, kind in (("reference", MotionPrior), ("forgets", Forgets), ("blind", Blind)):
        began = time.process_time()
        found[name] = [round(grader.nats_after_training(kind, mixture_log_prob, seed), 3) for seed in SEEDS]
        print(f"{name:10} {found[name]}   {(time.process_time() - began) / len(SEEDS):.2f} s each")
    worst, best = max(found["reference"]), min(found["forgets"] + found["blind"])
    assert worst < grader.ENOUGH < best, f"the threshold {grader.ENOUGH} does not lie between {worst} and {best}"
    result = {
        "measure": "nats a frame of new walks, from frame 2 on",
        "steps": 60,
        "threshold": grader.ENOUGH,
        "seeds": list(SEEDS),
        **found,
    }
    (HERE / "calibration_04_content_and_motion.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
