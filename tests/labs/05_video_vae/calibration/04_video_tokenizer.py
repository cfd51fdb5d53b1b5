"""Measures the outcomes of lab 05.4: the reference, and what is broken, five seeds each.

    python tests/labs/05_video_vae/calibration/04_video_tokenizer.py        about one core-minute

Both are the grader's own short runs, on patches of sprite frames. The numbers go into the JSON file beside this one.
"""

import importlib.util
import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch

from common.course.graders import outcomes
from common.layers.quantization import lfq_entropy_loss, round_straight_through

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
SEEDS = range(5)

ROUNDING = {
    "reference": round_straight_through,
    "rounding alone": torch.round,
    "the whole sum is detached": lambda z: (z + (z.round() - z)).detach(),
}
ENTROPY = {
    "reference": lfq_entropy_loss,
    "no entropy loss": lambda z: SimpleNamespace(loss=0.0),
    "the sign of the second term is turned": partial(lfq_entropy_loss, gamma=-1.0),
    "only the first term": partial(lfq_entropy_loss, gamma=0.0),
}


def outcome(measure: str, threshold: float, run, arms: dict) -> dict:
    """One entry of the JSON; more is better."""
    found = {name: [round(run(function, seed), 3) for seed in SEEDS] for name, function in arms.items()}
    reference = found.pop("reference")
    return {"measure": measure, "better": "higher", "threshold": threshold, "reference": reference, "broken": found}


def main() -> None:
    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    entries = {
        "rounding_trains": outcome("PSNR of held-out patches, in dB,", 14.0, grader.psnr_with, ROUNDING),
        "entropy_spreads": outcome("the perplexity of 256 codes", 10.0, grader.perplexity_with, ENTROPY),
    }
    HERE.with_suffix(".json").write_text(
        json.dumps({"seeds": list(SEEDS), "outcomes": entries}, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(entries, indent=1))
    outcomes.load(GRADER)  # an error unless each threshold parts the reference from what is broken


if __name__ == "__main__":
    main()
