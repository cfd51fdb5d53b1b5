"""The two arms that lab 04.4 compares, augmented and trusting. They share their first stage, and have equal steps.

The shipped weights, which went on from "augmented", are measured beside them.

    python tests/labs/04_inflated_unet/calibration/04_cascaded_super_resolution.py [FOLDER]

It trains them, about three core-minutes, and measures them, about one more. FOLDER (runs/upscaler) has the runs. What
is finished there is not trained again.
"""

import json
import sys
from pathlib import Path

import torch

from common.models.super_resolution import SuperResolutionDiT
from common.training import train
from common.training.export import read_weights
from common.zoo.upscaler_arm import ARMS, upscaler_recipe
from common.zoo.upscaler_measures import Upscaler
from common.zoo.upscaler_study import psnr_by_level, with_faults

NUM_FAULTY = 8
# arm -> noise on the condition, in use
LEVELS = {"augmented": (0.0, 0.2, 0.4), "trusting": (0.0,), "shipped": (0.0, 0.2, 0.4)}
PLACE = Path(__file__).with_suffix(".json")


def trained(arm: str, folder: Path) -> SuperResolutionDiT:
    """The finished model of an arm, whose first stage is that of all."""
    recipe = upscaler_recipe(arm, "sprites-upscaler")
    first = train(recipe, "cpu", folder=folder / "main")
    weights = train(recipe, "cpu", stage="whole", folder=folder / arm, weights=read_weights(first))
    return SuperResolutionDiT.from_pretrained(weights).float().eval()


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/upscaler")
    upscalers = {arm: Upscaler(trained(arm, folder)) for arm in ARMS}
    upscalers["shipped"] = Upscaler(SuperResolutionDiT.from_pretrained("sprites-upscaler").float().eval())
    faulty, truth = with_faults(upscalers["augmented"], NUM_FAULTY)
    found = {}
    for arm, upscale in upscalers.items():
        rows = psnr_by_level(upscale, faulty, truth, LEVELS[arm])
        found[arm] = {name: round(value, 3) for name, value in rows.items()}
    PLACE.write_text(json.dumps({"clips": NUM_FAULTY, "psnr": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
