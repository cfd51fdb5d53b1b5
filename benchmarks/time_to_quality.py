"""How good a recipe's model is after so much computing, and what each of its tricks is worth.

    python benchmarks/time_to_quality.py sprites-vae                     the recipe, then without each trick in turn
    python benchmarks/time_to_quality.py sprites-vae --only bf16         only without that one
    python benchmarks/time_to_quality.py sprites-t2v
    python benchmarks/time_to_quality.py --table                         the records so far, as Markdown

Each run is trained from scratch, by the recipe's own stage `main` with a constant learning rate, until it has used the
same seconds of one core (`--core-seconds`), one thread each: by that clock, other work on the machine takes nothing
from any run. What is read off is the recipe's own measure, of the running mean of the weights, at five times of each
run. Every run is a record, with date, machine and commit, in benchmarks/results/time_to_quality.json.
"""

import argparse
import importlib
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import torch
from sprites import machine

from common.training import read_log, train

RESULTS = Path(__file__).resolve().parent / "results" / "time_to_quality.json"
NUM_LOOKS = 5


# Each has a RECIPE, the MEASURE that counts, SETTINGS that a short training has otherwise, and TRICKS: name ->
# ((recipe, settings) -> both without it, what is in its place).
MODULES = {"sprites-vae": "tricks_vae", "sprites-t2v": "tricks_t2v"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", choices=MODULES)
    parser.add_argument("--core-seconds", type=float, default=240)
    parser.add_argument("--only", help="A trick to leave out, or `none` for the recipe as it is.")
    parser.add_argument("--folder", type=Path, default=Path("runs/time_to_quality"))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.recipe:
        tricks = importlib.import_module(MODULES[arguments.recipe]).TRICKS
        names = [arguments.only] if arguments.only else ["none", *tricks]
        for name in names:
            keep(record(arguments.recipe, name, arguments.core_seconds, arguments.folder))
    print(table(json.loads(RESULTS.read_text())))


def record(name: str, without: str, core_seconds: float, folder: Path) -> dict:
    """Train the recipe without a trick and say how good it was when."""
    module = importlib.import_module(MODULES[name])
    recipe, measure = module.RECIPE, module.MEASURE
    _, settings = recipe.at("main", "cpu")
    settings = replace(settings, decay="none", sheet_every=0, log_every=1, **module.SETTINGS)
    instead = "-"
    if without != "none":
        change, instead = module.TRICKS[without]
        recipe, settings = change(recipe, settings)
    place = folder / name / f"{without.replace(' ', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    train(replace(recipe, measure=None), "cpu", folder=place / "trial", settings=replace(settings, steps=5), quiet=True)
    lines = read_log(place / "trial")
    steps = round(core_seconds * 3 / (lines[4]["cpu_seconds"] - lines[1]["cpu_seconds"]))  # the first steps warm up
    looks = {"steps": steps, "measure_every": -(-steps // NUM_LOOKS), "checkpoint_every": max(1, steps // 4)}
    train(recipe, "cpu", folder=place / "run", settings=replace(settings, **looks))
    curve = [line for line in read_log(place / "run") if measure in line]
    return {
        "recipe": name,
        "without": without,
        "instead": instead,
        "measure": measure,
        "steps": steps,
        "curve": [[round(line["cpu_seconds"]), round(line[measure], 2)] for line in curve],
        "machine": machine(),
        "commit": commit(),
    }


def keep(found: dict) -> None:
    """Add a record to the file."""
    records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    RESULTS.write_text(json.dumps([*records, found], indent=1) + "\n", encoding="utf-8")


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True).stdout.strip()


def table(records: list[dict]) -> str:
    """The records, the recipe itself before what was tried without its tricks."""
    lines = ["| recipe | without | in its place | steps | quality after core-seconds | date | processor | commit |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for one in records:
        curve = " · ".join(f"{quality:.1f} at {seconds}" for seconds, quality in one["curve"])
        where = one["machine"]["processor"]
        lines.append(
            f"| {one['recipe']} | {one['without']} | {one['instead']} | {one['steps']} | {curve} | "
            f"{one['machine']['date']} | {where} | {one['commit']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
