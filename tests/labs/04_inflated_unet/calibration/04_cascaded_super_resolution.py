"""The two arms that lab 04.4 compares, augmented and trusting. They share their first stage, and have equal steps.

    python tests/labs/04_inflated_unet/calibration/04_cascaded_super_resolution.py [FOLDER]

It trains them, about three core-minutes, and measures them, about two more. FOLDER (runs/upscaler) has the runs. What
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
from common.zoo.upscaler_measures import Upscaler, small_clips
from common.zoo.upscaler_study import psnr_by_level, reading_by_level, with_faults

NUM_FAULTY, NUM_GENERATED = 8, 16
LEVELS = {"augmented": (0.0, 0.2, 0.4), "trusting": (0.0,)}  # arm -> noise on the condition, in use
PLACE = Path(__file__).with_suffix(".json")


def trained(arm: str, folder: Path) -> SuperResolutionDiT:
    """The finished model of an arm, whose first stage is that of all."""
    recipe = upscaler_recipe(arm, "sprites-upscaler")
    first = train(recipe, "cpu", folder=folder / "main")
    weights = train(recipe, "cpu", stage="whole", folder=folder / arm, weights=read_weights(first))
    return SuperResolutionDiT.from_pretrained(weights).float().eval()


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/upscaler")
    upscalers = {arm: Upscaler(trained(arm, folder)) for arm in ARMS}
    generated, prompts = small_clips(upscalers["augmented"].vae, NUM_GENERATED)
    faulty, truth = with_faults(upscalers["augmented"], NUM_FAULTY)
    found = {}
    for arm, upscale in upscalers.items():
        faults = psnr_by_level(upscale, faulty, truth, LEVELS[arm])
        read = reading_by_level(upscale, generated, prompts, LEVELS[arm])
        found[arm] = {
            "faults": {name: round(value, 3) for name, value in faults.items()},
            "generated": {name: {key: round(v, 4) for key, v in row.items()} for name, row in read.items()},
        }
    counts = {"faults": NUM_FAULTY, "generated": NUM_GENERATED}
    PLACE.write_text(json.dumps({"clips": counts, "arms": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
