"""Measures what the grader of lab 03.4 leans on, and the dose–response that its page draws.

python tests/labs/03_image_to_video/calibration/04_motion_control.py help        the grader's number: seconds
… two 24                   sprites-dose, 24 pictures at six doses
… svd 12                   sprites-svd, by its motion bucket
… train one 350 FOLDER     a control, trained so many steps; then
… one 12 FOLDER/weights    what it does, and likewise `shuffled` and `short` (two doses, as many steps as `one`)
"""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from common.course.graders import outcomes
from common.data.sprites.scenes import PAN, SPEEDS
from common.layers.micro_conditioning import MicroConditioning
from common.models.inflated_model import InflatedUNet
from common.training import train
from common.zoo.sprites_dose.clips import CAMERA, FACTORS, LAST_BUCKET, OBJECT, speeds_of
from common.zoo.sprites_dose.recipe import recipe_of
from common.zoo.sprites_dose.study import DOSES, THINGS, dose_gain, response

STORE = Path(__file__).with_suffix(".json")
GRADER = STORE.parent.parent / f"test_{STORE.stem}.py"
SEEDS = range(5)
NAMES = {"two": "two doses", "svd": "sprites-svd, motion bucket", "one": "one dose for all",
         "shuffled": "doses of other clips", "short": "two doses, 350 steps"}  # fmt: skip


class SinesFirst(MicroConditioning):
    """Sines before cosines."""

    def forward(self, ids):
        half = self.dim // 2
        columns = torch.arange(self.num_ids * self.dim).unflatten(0, (self.num_ids, self.dim)).roll(half, dims=1)
        turned = MicroConditioning(self.num_ids, self.dim, self.linear_2.out_features)
        turned.load_state_dict(self.state_dict())
        turned.linear_1.weight.data = self.linear_1.weight.data[:, columns.flatten()]
        return turned(ids)


class Deaf(MicroConditioning):
    """It hears of no dose."""

    def forward(self, ids):
        return super().forward(ids * torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0]))


class Swapped(MicroConditioning):
    """The camera's dose for the object, and the object's for the camera."""

    def forward(self, ids):
        return super().forward(ids[:, [0, 1, 2, 4, 3]])


def doses_help() -> dict:
    """The outcome: what doses are worth to the shipped model, told them by the lab's layer."""
    kinds = {"reference": MicroConditioning, "sines before cosines": SinesFirst, "no dose is told": Deaf,
             "doses swapped": Swapped}  # fmt: skip
    found = {name: [round(dose_gain(kind, seed), 4) for seed in SEEDS] for name, kind in kinds.items()}
    reference = found.pop("reference")
    threshold = round((max(reference) + min(map(min, found.values()))) / 2, 3)
    return {"measure": "the loss with its own doses, by that with opposite ones", "better": "lower",
            "threshold": threshold, "reference": reference, "broken": found}  # fmt: skip


def meant(arm: str, thing: str) -> torch.Tensor:
    """The speeds `(K,)` that an arm's doses stand for where that thing moves alone, by its training clips."""
    doses = torch.tensor(DOSES).float()
    if arm == "svd":  # a place in the world's own, narrow range
        low, high = SPEEDS["left"] if thing == "object" else PAN
        return low + (high - low) * doses / LAST_BUCKET
    speeds = speeds_of(doses[:, None].expand(-1, 2))
    return 2 * speeds[:, 0] if arm == "one" else speeds[:, THINGS.index(thing)]  # "one" is told the mean of both


def on_own_scale(arm: str, thing: str, curve: dict) -> dict:
    """A curve beside what its doses stand for, without those that stand for more than any training clip has."""
    asked = meant(arm, thing)
    keep = asked <= FACTORS[1] * (OBJECT if thing == "object" else CAMERA)
    asked = asked.expand_as(torch.as_tensor(curve["object"]))
    return {key: torch.as_tensor(values)[:, keep] for key, values in (curve | {"asked": asked}).items()}


def curves(arm: str, num_pictures: int, weights: str) -> dict:
    """What comes out of an arm: for the object alone, the camera alone, and where both move."""
    model, found = InflatedUNet.from_pretrained(weights), {}
    jobs = {} if arm == "short" else {thing: partial(response, model, thing) for thing in THINGS}
    if arm in ("two", "short"):
        jobs |= {f"{thing} dose": partial(response, model, "both", which=k) for k, thing in enumerate(THINGS)}
    elif arm == "one":
        jobs["both"] = partial(response, model, "both", which=0, single=True)
    for name, job in jobs.items():
        curve = job(num_pictures=num_pictures, **({"single": True} if arm == "one" and name in THINGS else {}))
        curve = on_own_scale(arm, name, curve) if name in THINGS else curve
        found[name] = {key: [[round(v, 4) for v in row] for row in values.tolist()] for key, values in curve.items()}
        print(arm, name, "done", flush=True)
    return found


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    if arguments[0] == "train":
        recipe = recipe_of(arguments[1])
        settings = replace(recipe.at("main", "cpu")[1], steps=int(arguments[2]))
        train(recipe, "cpu", folder=arguments[3], settings=settings)
        return
    stored = json.loads(STORE.read_text()) if STORE.exists() else {}
    stored.setdefault("study", {})["doses"] = list(DOSES)
    if arguments[0] == "help":
        stored |= {"seeds": list(SEEDS), "outcomes": {"doses_help": doses_help()}}
    else:
        shipped = {"two": "sprites-dose", "svd": "sprites-svd"}
        weights = shipped.get(arguments[0]) or arguments[2]
        stored["study"][NAMES[arguments[0]]] = curves(arguments[0], int(arguments[1]), weights)
    STORE.write_text(json.dumps(stored) + "\n", encoding="utf-8")
    if "outcomes" in stored:
        outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken


if __name__ == "__main__":
    main(sys.argv[1:])
