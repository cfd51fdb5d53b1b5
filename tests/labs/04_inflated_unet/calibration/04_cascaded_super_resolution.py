"""The three arms that lab 04.4 compares: augmented, trusting, regression. They share their first stage.

    python tests/labs/04_inflated_unet/calibration/04_cascaded_super_resolution.py [FOLDER]

It trains them, about fifteen core-minutes, and measures them, about five more. In FOLDER (runs/upscaler) are the runs;
what is finished there is not trained again.
"""

import json
import sys
from pathlib import Path

import torch

from common.evaluation.edges import edge_profiles, edge_scenes, edge_width
from common.models.super_resolution import SuperResolutionDiT
from common.progress import progress_bar
from common.training import train
from common.training.export import read_weights
from common.zoo.upscaler_arm import ARMS, upscaler_recipe
from common.zoo.upscaler_measures import Upscaler, enlarged, measure_true, small_clips
from common.zoo.upscaler_study import psnr_by_level, reading_by_level, with_faults

NUM_TRUE, NUM_FAULTY, NUM_GENERATED, NUM_EDGES = 12, 12, 32, 4
LEVELS = {
    "augmented": (0.0, 0.2, 0.4),
    "trusting": (0.0,),
    "regression": (0.2,),
}  # arm -> noise on the condition, in use
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
    models = {arm: trained(arm, folder) for arm in ARMS}
    upscalers = {arm: Upscaler(model, guesses=arm == "regression") for arm, model in models.items()}
    any_one = upscalers["augmented"]
    generated, prompts = small_clips(any_one.vae, NUM_GENERATED)
    faulty, truth = with_faults(any_one, NUM_FAULTY)
    scenes, found = edge_scenes(NUM_EDGES), {}
    for arm, upscale in progress_bar(upscalers.items(), desc="measuring", unit="arm"):
        profiles = {name: edge_profiles(clips, scenes) for name, clips in enlarged(upscale, scenes, 0).items()}
        found[arm] = {
            "true": {name: round(v, 3) for name, v in measure_true(upscale, NUM_TRUE, lambda count: None).items()},
            "edge": {name: round(edge_width(some).median().item(), 3) for name, some in profiles.items()},
            "faults": {name: round(v, 3) for name, v in psnr_by_level(upscale, faulty, truth, LEVELS[arm]).items()},
            "generated": {
                name: {key: round(v, 4) for key, v in row.items()}
                for name, row in reading_by_level(upscale, generated, prompts, LEVELS[arm]).items()
            },
        }
    counts = {"true": NUM_TRUE, "faults": NUM_FAULTY, "generated": NUM_GENERATED, "edge": NUM_EDGES}
    PLACE.write_text(json.dumps({"clips": counts, "arms": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
