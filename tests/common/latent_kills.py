"""Fills a latent cache in processes of their own and kills them, by SIGKILL, at random and at chosen moments.

    python -m tests.common.latent_kills FOLDER

One JSON line a way of dying: how the processes ended until one came through, whether finished shards stayed as they
were from kill to kill, how many files were left half written, and whether the end is what a filling without a kill
gives, byte for byte.
torch is imported once; each process is forked from here.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from common.data import latent_cache, shards
from common.data.sprites import SpriteData
from tests.common.dying import after, die, end_of, forked, half_a_file, on_call

NUM_SAMPLES, SHARD_SIZE = 40, 4


def encode(batch):
    time.sleep(0.002)
    return batch.clips().mean(dim=(3, 4))  # (B, 3, T)


def fill(folder: Path):
    data = SpriteData(num_frames=2, size=8)
    return latent_cache.fill(folder, data, encode, NUM_SAMPLES, encoder="mean", shard_size=SHARD_SIZE, batch_size=2)


# How a process dies. `cache.json` is put in place first, then a shard at a time, then `cache.json` again.
MOMENTS = {
    "in_the_encoder": lambda: on_call(sys.modules[__name__], "encode", 6, die),
    "in_the_middle_of_a_shard": lambda: on_call(shards, "save_file", 3, half_a_file),
    "before_a_shard_has_its_name": lambda: on_call(os, "replace", 4, die),
    "after_a_shard_has_its_name": lambda: on_call(os, "replace", 4, after),
    "before_anything_has_its_name": lambda: on_call(os, "replace", 1, die),
    "before_the_end_is_said": lambda: on_call(os, "replace", 2 + NUM_SAMPLES // SHARD_SIZE, die),
}


def in_a_process(folder: Path, moment=lambda: None, after_shards: int | None = None, seconds: float = 0.0) -> int:
    """Fill in a forked process; minus the signal that ended it, or its exit code.

    With `after_shards` it is killed that many seconds after so many shards are there, if it has not ended by then.
    """

    def run():
        moment()
        fill(folder)

    child = forked(run)
    if after_shards is not None:
        while len(list(folder.glob("shard_*.safetensors"))) < after_shards:
            time.sleep(0.0005)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # without effect on one that has ended and waits to be asked how
    return end_of(child)


def content(folder: Path) -> dict[str, str]:
    """The finished files of a folder; every shard among them has been opened, so its checksum is right."""
    found = sorted(folder.glob("shard_*.safetensors"))
    assert all(len(shards.open_shard(path)) == SHARD_SIZE for path in found)
    return {path.name: path.read_bytes().hex() for path in [*found, *folder.glob("cache.json")]}


def told(way: str, folder: Path, ends: list[int], kept: list[bool], halves: int, whole: dict, **more) -> None:
    row = {"way": way, "ends": ends, "kept": kept, "halves": halves, "same": content(folder) == whole}
    print(json.dumps(row | more), flush=True)


def main():
    torch.set_num_threads(1)
    root, dice = Path(sys.argv[1]), random.Random(0)
    durations = []
    for name in ("whole", "once more"):
        begin = time.perf_counter()
        assert in_a_process(root / name) == 0
        durations.append(time.perf_counter() - begin)
    duration, whole = min(durations), content(root / "whole")
    assert content(root / "once more") == whole

    ends, kept, finished, halves, last, folder = [], [], [], 0, {}, root / "random"
    a_shard = duration * SHARD_SIZE / NUM_SAMPLES  # seconds
    while not ends or ends[-1] != 0:  # two kills after no shard, two after the first, and so on
        target = min(len(ends) // 2, NUM_SAMPLES // SHARD_SIZE)
        ends.append(in_a_process(folder, after_shards=target, seconds=dice.uniform(0, 1.5) * a_shard))
        now = content(folder)
        kept.append(all(now.get(name) == text for name, text in last.items() if name != "cache.json"))
        finished.append(len(list(folder.glob("shard_*.safetensors"))))
        halves += len(list(folder.glob("*.partial")))
        last = now
    told("at_random", folder, ends, kept, halves, whole, finished=finished)

    for way, moment in MOMENTS.items():
        folder = root / way
        first, halves = in_a_process(folder, moment), len(list(folder.glob("*.partial")))
        last = content(folder)
        ends = [first, in_a_process(folder)]
        now = content(folder)
        kept = [all(now[name] == text for name, text in last.items() if name != "cache.json")]
        told(way, folder, ends, kept, halves, whole)


if __name__ == "__main__":
    main()
