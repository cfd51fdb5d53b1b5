"""Trains the tiny recipe in processes of their own and kills them, by SIGKILL, at chosen moments.

    python -m tests.common.training.kills FOLDER MOMENT ...

For each moment: train in FOLDER/MOMENT until killed there, look at what is left, train on to the end. One JSON line a
moment: the signals that ended the processes, the files left behind, and the digest of all that the run came to.
torch is imported once; each process is forked from here.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import torch

from common.training import checkpoint, export, load_recipe, loop, records, train
from tests.common.dying import after, die, end_of, forked, half_a_file, on_call

RECIPE = load_recipe(Path(__file__).with_name("tiny_recipe.py"))


def half_a_line(write, self, step, values):
    with self._log.open("a") as file:
        file.write('{"step": 6, "lo')
    die()


# Moment -> how it is reached. A checkpoint is due after steps 4, 8, 12 and 14.
MOMENTS = {
    "never": lambda: None,
    "in_a_step_before_any_checkpoint": lambda: on_call(loop.Training, "step", 3, die),
    "in_a_step": lambda: on_call(loop, "set_learning_rate", 7, die),
    "in_the_middle_of_a_checkpoint": lambda: on_call(checkpoint, "save_file", 2, half_a_file),
    "in_the_middle_of_the_first_checkpoint": lambda: on_call(checkpoint, "save_file", 1, half_a_file),
    "before_a_checkpoint_has_its_name": lambda: on_call(os, "replace", 3, die),  # the log's is the first
    "after_a_checkpoint_has_its_name": lambda: on_call(os, "replace", 4, after),
    "in_the_middle_of_a_line_of_the_log": lambda: on_call(records.Records, "write", 3, half_a_line),
    "before_the_weights_are_written": lambda: on_call(loop, "export", 1, die),
    "before_the_weights_have_their_name": lambda: on_call(export.os, "replace", 6, die),
}


def in_a_process(folder: Path, moment: str) -> int:
    """Train in a forked process that dies at a moment; minus the signal that ended it, or its exit code."""

    def run():
        MOMENTS[moment]()
        train(RECIPE, "cpu", folder=folder, quiet=True)

    return end_of(forked(run))


def digest(folder: Path) -> dict[str, str]:
    """What a run came to: the weights' file, the last checkpoint's tensors, the log without its times."""
    last = checkpoint.load(checkpoint.files(folder / "checkpoints")[-1])
    lines = [{k: v for k, v in line.items() if not k.endswith("seconds")} for line in records.read_log(folder)]
    weights = (folder / "weights" / "diffusion_pytorch_model.safetensors").read_bytes()
    return {
        "weights": hashlib.sha256(weights).hexdigest(),
        "checkpoint": checkpoint.checksum(last.tensors, str(last.step)),
        "log": hashlib.sha256(json.dumps(lines).encode()).hexdigest(),
        "lines": str(len(lines)),
    }


def main():
    torch.set_num_threads(1)
    root, *moments = sys.argv[1:]
    for moment in moments:
        folder = Path(root) / moment
        first = in_a_process(folder, moment)
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file())
        second = in_a_process(folder, "never")
        print(
            json.dumps({"moment": moment, "ends": [first, second], "left": left, "digest": digest(folder)}), flush=True
        )


if __name__ == "__main__":
    main()
