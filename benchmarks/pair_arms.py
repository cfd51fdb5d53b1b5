"""Do words stay together? MMDiT against cross-attention, bare word embeddings against states of layer 3.

    python benchmarks/pair_arms.py                          the four arms, in turns of 200 steps, to 1,400 steps each
    python benchmarks/pair_arms.py --end                    measure them where they are, and keep the numbers
    python benchmarks/pair_arms.py --table                  the records so far, as Markdown

The arms take turns, so that they are equally far whenever the program is stopped; the same command goes on. A look
reads 48 pictures of the test split. The end reads 384 pictures of the test split and 192 of the pairs held out, each
with its 95 % interval. The records are in benchmarks/results/pair_arms.json.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from mini_arm import read
from sprites import machine
from time_to_quality import commit

from common.data.mini.pairs import MiniPairs
from common.evaluation.pairs import pair_agreement
from common.evaluation.share import Share
from common.training import checkpoint, read_log, train
from common.zoo.pair_arm import ARMS, NUM_ASKED, SETTINGS, build_arm, frozen_text, generate_arm, pair_recipe

RESULTS = Path(__file__).resolve().parent / "results" / "pair_arms.json"
SHOWN = ("colors", "right", "binding")
TURN = 200  # steps
ASKED = {"test": 384, "held_out": 192}  # pictures at the end


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS)[:4])
    parser.add_argument("--steps", type=int, default=SETTINGS["cpu"].steps)
    parser.add_argument("--turn", type=int, default=TURN, help="Steps per turn; a frozen arm takes all in one.")
    parser.add_argument("--folder", type=Path, default=Path("runs/pair_arms"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--end", action="store_true", help="Train no further; measure.")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.end:
        for arm in arguments.arms:
            keep(record(arm, arguments.folder / arm), arguments.results)
    elif not arguments.table:
        for steps in range(arguments.turn, arguments.steps + 1, arguments.turn):
            for arm in arguments.arms:
                settings = replace(SETTINGS["cpu"], steps=steps)
                train(pair_recipe(arm), "cpu", folder=arguments.folder / arm, settings=settings, quiet=True)
                looks = [line for line in read_log(arguments.folder / arm) if "binding" in line]
                print(
                    arm,
                    {name: looks[-1][name] for name in ("step", "cpu_seconds", "loss", "colors", "binding")},
                    flush=True,
                )
    print(table(read(arguments.results)))


def record(arm: str, place: Path) -> dict:
    """How good an arm is where it stands: the curve up to there, and the shares at the end.

    Args:
        arm: its name.
        place: folder of its run.
    """
    found = checkpoint.load_newest(place / "checkpoints", print)
    model = build_arm(arm)
    model.load_state_dict({name: found.tensors[f"ema.{name}"] for name in model.state_dict()})
    looks = [line for line in read_log(place) if "binding" in line and line["step"] < found.step]
    end = {split: final(model.eval(), arm, split, count) for split, count in ASKED.items()}
    if arm.endswith("mmdit"):
        with frozen_text(model):
            end["frozen"] = final(model, arm, "test", ASKED["test"])
    return {
        "arm": arm,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": found.step,
        "batch_size": SETTINGS["cpu"].batch_size,
        "core_seconds": round(found.state["cpu_seconds"]),
        "curve": [[line["step"] + 1, *(round(line[name], 4) for name in SHOWN)] for line in looks],
        "looked_at": NUM_ASKED["cpu"],
        "end": end,
        "machine": machine(),
        "commit": commit(),
    }


def final(model, arm: str, split: str, num_asked: int) -> dict[str, list]:
    """Shares of a split with their intervals, and how often the same pictures are right for captions of others."""
    asked = MiniPairs(split).words(range(num_asked))
    pictures = generate_arm(model, arm, asked)
    rows = pair_agreement(asked, pictures)
    others = pair_agreement(asked[1:] + asked[:1], pictures)
    colors = sum(row["colors"] for row in rows)
    shares = {name: Share(sum(row[name] for row in rows), num_asked) for name in ("colors", "right", "field")}
    shares["binding"] = Share(shares["right"].right, max(1, colors))
    shares["shuffled"] = Share(sum(row["right"] for row in others), num_asked)
    return {
        name: [share.right, share.total, *(round(end, 4) for end in share.interval)] for name, share in shares.items()
    }


def keep(found: dict, results: Path) -> None:
    """Put a record into the file, in place of an older one of the same arm."""
    records = [one for one in read(results) if one["arm"] != found["arm"]] + [found]
    records.sort(key=lambda one: list(ARMS).index(one["arm"]))
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def table(records: list[dict]) -> str:
    """A row per record: colours, then binding, in per cent with the intervals."""
    lines = [
        "| arm | steps | core-s | colours | binding | held out: binding | shuffled captions |",
        "|---|" + "---|" * 6,
    ]
    for one in records:
        test, held_out = one["end"]["test"], one["end"]["held_out"]
        shares = [Share(*part[:2]) for part in (test["colors"], test["binding"], held_out["binding"], test["shuffled"])]
        lines.append(f"| {one['arm']} | {one['steps']} | {one['core_seconds']} | {' | '.join(map(str, shares))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
