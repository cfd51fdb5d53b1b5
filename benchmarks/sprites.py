"""How many clips of the sprites' world one core makes in a second.

    python benchmarks/sprites.py [--rounds 7] [--clips 256]

A clip counts from its number: its scene is drawn, its caption composed, its pixels painted. The parts are timed too:
drawing scenes, painting scenes already drawn (with captions), and the exact truth, which no training needs. Batches of
32; the process is bound to one core. A round makes other clips than the last one. The table shows medians over the
rounds, by the clock and by the processor's time (which other programs disturb less); the numbers go to
benchmarks/results/sprites.json.

Not shown: a loader that works beside the training shares its cores and its memory's bandwidth with it.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch

from common.data.sprites import SpriteData, draw_scenes, render, truth

RESULTS = Path(__file__).resolve().parent / "results" / "sprites.json"
BATCH = 32
BOUND = 300  # clips a second, 17 frames of 64x64, from their numbers
BOUND_CASE = "17x64x64, from the number"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clips", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    report = measure(arguments.rounds, arguments.clips)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


def measure(rounds: int, num_clips: int) -> dict:
    """Clips a second of every case, a list over the rounds, by the clock (`wall`) and by the processor (`cpu`)."""
    cases = {BOUND_CASE: SpriteData().batch}
    cases["17x32x32, from the number"] = SpriteData(size=32).batch
    cases["  scenes drawn"] = draw_scenes
    parts = {"  17x64x64 painted, with captions": render, "  17x64x64 truth": truth}
    report = {"machine": machine(), "batch": BATCH, "clips": num_clips, "cases": {}}
    for done in range(rounds + 1):  # the first round warms up and does not count
        batches = [range(start, start + BATCH) for start in range(done * num_clips, (done + 1) * num_clips, BATCH)]
        scenes = [draw_scenes(batch) for batch in batches]
        for name, make in (cases | parts).items():
            wall, cpu = time.perf_counter(), time.process_time()
            for inputs in scenes if name in parts else batches:
                make(inputs)
            rates = {"wall": len(batches) * BATCH / (time.perf_counter() - wall),
                     "cpu": len(batches) * BATCH / (time.process_time() - cpu)}  # fmt: skip
            for clock, rate in rates.items():
                if done:
                    report["cases"].setdefault(name, {}).setdefault(clock, []).append(round(rate, 1))
    return report


def table(report: dict) -> str:
    """The medians, one line a case."""
    lines = [f"{report['machine']['processor']}, one core; load {report['machine']['load']}", ""]
    lines += ["| clips a second | by the clock | by the processor's time |", "|---|---|---|"]
    for name, rates in report["cases"].items():
        lines.append(f"| {name} | {statistics.median(rates['wall']):.0f} | {statistics.median(rates['cpu']):.0f} |")
    rate = statistics.median(report["cases"][BOUND_CASE]["cpu"])
    lines += ["", f"bar: {BOUND} of {BOUND_CASE}: {'met' if rate >= BOUND else 'MISSED'}, {rate / BOUND:.2f} times"]
    return "\n".join(lines)


def machine() -> dict:
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines()
             if line.startswith("model name")] if cpuinfo.exists() else []  # fmt: skip
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
