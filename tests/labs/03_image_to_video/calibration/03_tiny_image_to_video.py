"""Measures what the grader of lab 03.3 leans on, and the curves that its page draws.

    python tests/labs/03_image_to_video/calibration/03_tiny_image_to_video.py            both, about a core-minute
    python tests/labs/03_image_to_video/calibration/03_tiny_image_to_video.py denoises   the grader's number: seconds

`denoises` is the loss of `sprites-svd` on four clips, by five seeds of the noise, and the same with something broken.
`starts` are short training runs from three starts: they need `sprites-image` alone.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch

from common.course.graders import outcomes
from common.data.sprites.one_object import OneObject
from common.data.sprites.solo import draw
from common.diffusion.image_to_video import i2v_loss
from common.layers import temporal
from common.models.inflated_model import as_image_model, at_spatial
from common.models.inflated_unet import inflate, new_parameters
from common.zoo.sprites_svd.first_steps import assembled, coded, mean_loss, training_steps
from common.zoo.sprites_svd.recipe import NUM_FRAMES, sparse

STORE = Path(__file__).with_suffix(".json")
GRADER = STORE.parent.parent / f"test_{STORE.stem}.py"
SEEDS = range(5)
NUM_STEPS, EVERY, BATCH_SIZE, NUM_TRAINED, NUM_TESTED = 80, 10, 2, 64, 6
PARTS = SimpleNamespace(inflate=inflate, **{name: getattr(temporal, name) for name in
                        ("TemporalResnetBlock", "AlphaBlender", "TemporalTransformerBlock")})  # fmt: skip


def denoises() -> dict:
    """The outcome: loss of the shipped weights in a model of the lab's parts."""
    model, given = assembled(PARTS), coded(sparse("large", 4))
    arms = {
        "reference": (model, given),
        "the mix all spatial": (at_spatial(model), given),
        "the image model, frame by frame": (as_image_model(model), given),
        "the picture of another clip": (model, replace(given, picture=given.picture.roll(1, dims=0))),
        "the words of another clip": (model, replace(given, states=given.states.roll(1, dims=0))),
    }
    found = {name: [round(mean_loss(i2v_loss, *arm, seed), 4) for seed in SEEDS] for name, arm in arms.items()}
    reference = found.pop("reference")
    threshold = round((max(reference) + min(map(min, found.values()))) / 2, 3)
    return {"measure": "the mean loss of four clips", "better": "lower", "threshold": threshold,
            "reference": reference, "broken": found}  # fmt: skip


def starts() -> dict:
    """The loss on unseen clips, every few steps of training from each start."""
    seen = coded(draw(OneObject("train").scenes(range(0, 2 * NUM_TRAINED, 2)), NUM_FRAMES, 64))
    unseen, found = coded(sparse("large", NUM_TESTED)), {}
    torch.manual_seed(0)
    fresh = assembled(PARTS, weights=None)
    for name, model in {
        "random": fresh,
        "zero at the ends": as_image_model(fresh),
        "all spatial": at_spatial(fresh),
    }.items():
        new = new_parameters(model)
        for key, parameter in model.named_parameters():
            parameter.requires_grad_(key in new and key != "conv_in.bias")
        found[name] = [round(mean_loss(i2v_loss, model, unseen), 4)]
        for step, _ in enumerate(training_steps(i2v_loss, model, seen, NUM_STEPS, BATCH_SIZE), start=1):
            if not step % EVERY:
                found[name].append(round(mean_loss(i2v_loss, model, unseen), 4))
                print(name, step, found[name][-1], flush=True)
    return {"steps": list(range(0, NUM_STEPS + 1, EVERY)), "loss": found}


def main() -> None:
    torch.set_num_threads(1)
    stored = json.loads(STORE.read_text()) if STORE.exists() else {}
    stored |= {"seeds": list(SEEDS), "outcomes": {"denoises": denoises()}}
    if sys.argv[1:] != ["denoises"]:
        stored["starts"] = starts()
    STORE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken
    print(STORE.read_text())


if __name__ == "__main__":
    main()
