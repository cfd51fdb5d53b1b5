"""The long run that lab 09.2 shows: seven arms, 16 games of 1,000 frames each, judged by the rules of the game.

    python tests/labs/09_world_models/calibration/02_gamengen_mini.py
    python tests/labs/09_world_models/calibration/02_gamengen_mini.py --games 4 --frames 200
    python tests/labs/09_world_models/calibration/02_gamengen_mini.py --squared FOLDER --clean FOLDER

It trains nothing. The folders are weights of the recipe's stages `squared` and `clean`, two more arms.
"""

import argparse
import json
from pathlib import Path

import torch

from common.pipelines.world import WorldModel
from common.progress import progress_bar
from common.zoo.arcade_rooms.study import clean_past, squared_error, study

PLACE = Path(__file__).with_suffix(".json")
TWINS = {"squared": ("by squared error", squared_error), "clean": ("trained without noise on the past", clean_past)}


def load(name):
    """The network as it is played: in bfloat16, where the processor has it."""
    return WorldModel.from_pretrained(name).model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", type=int, default=16)
    parser.add_argument("--frames", type=int, default=1000)
    for name in TWINS:
        parser.add_argument(f"--{name}", help=f"a folder of weights of the stage {name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folders = {name: getattr(arguments, name) for name in TWINS if getattr(arguments, name)}
    twins = {TWINS[name][0]: (load(folder), TWINS[name][1]) for name, folder in folders.items()}
    with progress_bar(total=1000, desc="dreams", unit="‰") as bar:
        found = study(
            load("arcade-rooms"), arguments.games, arguments.frames, twins=twins, width=max(1, arguments.frames // 20),
            progress=lambda part: bar.update(round(1000 * part) - bar.n),
        )  # fmt: skip
    found["arms"] = {name: rounded(arm) for name, arm in found["arms"].items()}
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def rounded(numbers: dict) -> dict:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in numbers.items()}


if __name__ == "__main__":
    main()
