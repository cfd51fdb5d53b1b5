"""Measures the outcome of lab 02.4's grader: the reference, and two broken priors, five seeds each.

    python tests/labs/02_early_models/calibration/04_content_and_motion.py

Each is trained by the grader's own `nats_after_training`. The threshold must lie between the reference and what is
broken. The numbers go into the JSON file beside this one.
"""

import importlib.util
import json
import time
from pathlib import Path

import torch

from common.course.graders import outcomes
from common.models.motion_prior import MotionPrior, mixture_log_prob

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
SEEDS = range(5)
THRESHOLD = -0.5  # nats per frame


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
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    kinds = {"reference": MotionPrior, "it knows where a thing was, not which way it goes": Forgets,
             "it sees no frame": Blind}  # fmt: skip
    found = {}
    for name, kind in kinds.items():
        began = time.process_time()
        found[name] = [round(grader.nats_after_training(kind, mixture_log_prob, seed), 3) for seed in SEEDS]
        print(f"{name:50} {found[name]}   {(time.process_time() - began) / len(SEEDS):.2f} s each")
    outcome = {"measure": "the cost of a frame of new walks, in nats,", "better": "lower", "threshold": THRESHOLD,
               "reference": found.pop("reference"), "broken": found}  # fmt: skip
    document = {"seeds": list(SEEDS), "outcomes": {"foresees": outcome}}
    HERE.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken


if __name__ == "__main__":
    main()
