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
        weights = None
        if name != "pictures":
            base = JointDiT.from_pretrained(str(options.folder / "pictures" / "weights")).float()
            weights = base.state_dict()
        print(name, train(joint_recipe(name), "cpu", folder=options.folder / name, weights=weights), flush=True)


if __name__ == "__main__":
    main()
