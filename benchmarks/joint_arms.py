"""Train the arms of lab 04.2: a base on pictures, then three fine-tunings of it, one after the other.

    python benchmarks/joint_arms.py --folder runs/joint

About 20 minutes of one core. A run that was stopped goes on where its last checkpoint is.
"""

import argparse
from pathlib import Path

from common.models.joint_dit import JointDiT
from common.runtime import limit_threads
from common.training import train
from common.zoo.joint_arm import ARMS, joint_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/joint"))
    parser.add_argument("--arms", nargs="+", default=[*ARMS], choices=[*ARMS])
    options = parser.parse_args()
    limit_threads()
    for name in options.arms:
        recipe, folder, weights = joint_recipe(name), options.folder / name, None
        if name != "images":
            weights = weights_of(options.folder / "images" / "weights")
        made = train(recipe, "cpu", folder=folder, weights=weights)
        print(name, made, flush=True)


def weights_of(folder: Path) -> dict:
    """A state dict in float32."""
    return JointDiT.from_pretrained(str(folder)).float().state_dict()


if __name__ == "__main__":
    main()
