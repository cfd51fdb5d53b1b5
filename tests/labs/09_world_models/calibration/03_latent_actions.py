"""Measures what lab 09.3 is calibrated with and shows: the codebook's outcome, and the study of whole models.

    python tests/labs/09_world_models/calibration/03_latent_actions.py        the outcome, seconds
    python tests/labs/09_world_models/calibration/03_latent_actions.py --slime FOLDER --plain FOLDER --free FOLDER
        --plain_free FOLDER                                                   and the study, minutes

The folders are weights of the recipe's stage `slime` and of its controls. Nothing is trained here but the codebooks of
the grader's own short run. The numbers go into the JSON file beside this one.
"""

import argparse
import json
from pathlib import Path

import torch

from common.course.graders import outcomes
from common.course.graders.latents import error_after
from common.layers.vector_quantizer import VectorQuantizer
from common.zoo import from_pretrained
from common.zoo.rooms_latent_actions.study import study

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
PLACE, SEEDS = HERE.with_suffix(".json"), range(5)
ARMS_OF_THE_STUDY = ("slime", "plain", "free", "plain_free")


class NoRevival(VectorQuantizer):
    """The running means alone."""

    def update(self, z, indices, candidates):
        return super().update(z, indices, candidates[:0])


class NeverMoves(VectorQuantizer):
    """The codebook as it was."""

    def update(self, z, indices, candidates):
        return 0


ARMS = {"reference": VectorQuantizer, "no revival": NoRevival, "the codebook never moves": NeverMoves}


def calibrate() -> dict:
    """The outcome's entry."""
    found = {name: [round(error_after(kind, seed), 3) for seed in SEEDS] for name, kind in ARMS.items()}
    measure, reference = "the mean squared distance of points from their codes", found.pop("reference")
    return {"measure": measure, "better": "lower", "threshold": 1.3, "reference": reference, "broken": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for arm in ARMS_OF_THE_STUDY:
        parser.add_argument(f"--{arm}", help="a folder of weights")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    stored = json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.is_file() else {}
    stored |= {"seeds": list(SEEDS), "outcomes": {"codebook": calibrate()}}
    if all(vars(arguments).values()):
        models = {arm: from_pretrained(getattr(arguments, arm)) for arm in ARMS_OF_THE_STUDY}
        stored["study"] = study(from_pretrained("rooms-latent-actions"), **models)
    PLACE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken


if __name__ == "__main__":
    main()
