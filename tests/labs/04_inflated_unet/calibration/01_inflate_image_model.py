"""Measures what the grader of lab 04.1 leans on: about a core-minute.

    python tests/labs/04_inflated_unet/calibration/01_inflate_image_model.py

`denoises` is the loss of `sprites-unet-t2v` on four clips, by five seeds of the noise, and the same with something
broken.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch

from common.course.graders import outcomes
from common.diffusion.video_loss import video_loss
from common.layers.two_plus_one import Conv2Plus1d, TemporalAttention
from common.models.video_unet import as_pictures, inflate_unet
from common.zoo.sprites_svd.recipe import asked
from common.zoo.sprites_unet_t2v.first_steps import assembled, coded, mean_loss

STORE = Path(__file__).with_suffix(".json")
GRADER = STORE.parent.parent / f"test_{STORE.stem}.py"
SEEDS = range(5)
PARTS = SimpleNamespace(inflate_unet=inflate_unet, Conv2Plus1d=Conv2Plus1d, TemporalAttention=TemporalAttention)


def denoises() -> dict:
    """The outcome: loss of the shipped weights in a model of the lab's parts."""
    model, given = assembled(PARTS), coded(asked("large", 4))
    arms = {
        "reference": (model, given),
        "the image model, frame by frame": (as_pictures(model), given),
        "the words of another clip": (model, replace(given, states=given.states.roll(1, dims=0))),
        "frames in another order": (model, replace(given, x0=given.x0[:, :, torch.arange(14) * 5 % 14])),
    }
    found = {name: [round(mean_loss(video_loss, *arm, seed), 4) for seed in SEEDS] for name, arm in arms.items()}
    reference = found.pop("reference")
    threshold = round((max(reference) + min(map(min, found.values()))) / 2, 3)
    return {"measure": "the mean loss of four clips", "better": "lower", "threshold": threshold,
            "reference": reference, "broken": found}  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    STORE.write_text(json.dumps({"seeds": list(SEEDS), "outcomes": {"denoises": denoises()}}, indent=1) + "\n")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken
    print(STORE.read_text())
