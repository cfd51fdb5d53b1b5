"""How fast the arms of the `mini` world learn: accuracy against core-seconds.

    python benchmarks/mini_arm.py                                 the default arm, three seeds one after the other
    python benchmarks/mini_arm.py --arm pixels --seeds 0          the same transformer on pixels, one seed
    python benchmarks/mini_arm.py --arm video --so-far            a record of a run that was stopped, up to there
    python benchmarks/mini_arm.py --table                         the records so far, as Markdown

Stop it whenever you like: the same command goes on from the last checkpoint. A record holds ten looks at the running
mean of the weights, 96 clips each, and at the end 384 clips of the test split and 192 of the combinations held out, all
with a baseline: the same clips read against the captions of other clips. The records are in
benchmarks/results/mini_arm.json, one per arm, seed and number of core-seconds.
"""

import argparse
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from sprites import machine
from time_to_quality import commit

from common.data.mini import MiniSprites
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.mini import mini_accuracy
from common.evaluation.motions import motion_shares
from common.training import checkpoint, read_log
from common.training.budget import train_for
from common.training.export import export
from common.zoo.mini_arm import ARMS, CORE_SECONDS, NUM_ASKED, MiniCoder, arm_recipe, generate
from common.zoo.mini_objectives import as_velocity

RESULTS = Path(__file__).resolve().parent / "results" / "mini_arm.json"
NUM_LOOKS = 10
ASKED = {"test": 384, "held_out": 192}  # clips at the end
SHOWN = ("right", "color", "motion")
NAMED = ("arm", "seed", "core_seconds")  # which record it is


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arm", choices=ARMS, default="video")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--core-seconds", type=float, default=CORE_SECONDS)
    parser.add_argument(
        "--clips", type=int, nargs=2, default=list(ASKED.values()), help="At the end: test, held out; 0 for none."
    )
    parser.add_argument("--folder", type=Path, default=Path("runs/mini_arm"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--so-far", action="store_true", help="Train no further.")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for seed in () if arguments.table else arguments.seeds:
        asked = dict(zip(ASKED, arguments.clips))
        place = arguments.folder / f"{arguments.arm}-{arguments.core_seconds:g}-{seed}"
        keep(record(arguments.arm, seed, arguments.core_seconds, asked, place, arguments.so_far), arguments.results)
    print(table(read(arguments.results)))


def record(arm: str, seed: int, core_seconds: float, asked: dict[str, int], place: Path, so_far: bool = False) -> dict:
    """Train an arm with a seed, and say how good it was when.

    Args:
        arm: its name.
        seed: of the weights and the noise.
        core_seconds: its budget.
        asked: split -> clips that are read at the end.
        place: folder of the run.
        so_far: train no further. The weights are the running mean at the last checkpoint.
    """
    recipe = arm_recipe(f"mini-{arm}", **ARMS[arm])
    settings = replace(recipe.at("main", "cpu")[1], seed=seed)
    if so_far:
        found = checkpoint.load_newest(place / "checkpoints", print)
        model = recipe.build_model("cpu")
        export(model, {name: found.tensors[f"ema.{name}"] for name in model.state_dict()}, place / "weights")
        steps, seconds = found.step, found.state["cpu_seconds"]
        curve = [line | {"core_seconds": line["cpu_seconds"]} for line in read_log(place) if "right" in line]
    else:
        curve = train_for(recipe, core_seconds, place, settings=settings, num_looks=NUM_LOOKS)
        steps, seconds = curve[-1]["step"] + 1, curve[-1]["core_seconds"]
    kind = type(recipe.build_model("cpu"))
    model = kind.from_pretrained(place / "weights", torch_dtype=torch.float32).eval()
    return {
        "arm": arm,
        "seed": seed,
        "core_seconds": core_seconds,
        "stopped_at": round(seconds),
        "steps": steps,
        "batch_size": settings.batch_size,
        "curve": [[round(look["core_seconds"]), *(round(look[name], 4) for name in SHOWN)] for look in curve],
        "end": {split: final(model, arm, split, count) for split, count in asked.items() if count},
        "looked_at": arm_looks(arm),
        "machine": machine(),
        "commit": commit(),
    }


def arm_looks(arm: str) -> int:
    """Clips that are read at each look."""
    return ARMS[arm].get("num_asked", NUM_ASKED)["cpu"]


def final(model, arm: str, split: str, num_asked: int) -> dict[str, float]:
    """Accuracies on a split, and how often the same clips are right for the captions of others."""
    captions = MiniSprites(split, num_frames=1, size=8).batch(range(num_asked)).captions
    kind = ARMS[arm].get("kind_of_prediction", "velocity")
    asked = model if kind == "velocity" else as_velocity(model, kind)
    with ARMS[arm].get("within", nullcontext)(model):
        clips = generate(asked, MiniCoder(ARMS[arm].get("kind", "video")), captions)
    shuffled = mini_accuracy(captions[1:] + captions[:1], clips)
    found = mini_accuracy(captions, clips) | {f"shuffled_{name}": shuffled[name] for name in SHOWN}
    found = {name: round(value, 4) for name, value in found.items()} | {"num_clips": num_asked}
    return found | ({"motions": by_rate(captions, clips)} if arm.startswith("stdit") else {})


def by_rate(captions, clips) -> dict[str, dict[str, list[int]]]:
    """Of each motion how many clips show it, and of how many: at the full rate, and in every fourth frame alone.

    The third time the frames between are means of those kept, whatever interpolator the coder has.
    """
    kept = clips[:, :, ::4]
    mean = torch.nn.functional.interpolate(kept, clips.shape[2:], mode="trilinear", align_corners=True)
    read = {"full": (clips, SOLO_FPS), "kept": (kept, SOLO_FPS / 4), "mean between": (mean, SOLO_FPS)}
    found = {name: motion_shares(captions, made, fps) for name, (made, fps) in read.items()}
    return {name: {word: [s.right, s.total] for word, s in shares.items()} for name, shares in found.items()}


def read(results: Path) -> list[dict]:
    return json.loads(results.read_text(encoding="utf-8")) if results.exists() else []


def keep(found: dict, results: Path, named=NAMED) -> None:
    """Put a record into the file, in place of an older one of the same run."""
    others = [one for one in read(results) if any(one[name] != found[name] for name in named)]
    records = sorted([*others, found], key=lambda one: [str(one[name]) for name in named])
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def table(records: list[dict]) -> str:
    """A row per record: per cent right at each look, then at the end."""
    lines = ["| arm | seed | steps | % right after core-seconds | test | held out | shuffled captions |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for one in records:
        curve = " · ".join(f"{100 * right:.0f} at {seconds}" for seconds, right, *_ in one["curve"])
        if not one["end"]:
            lines.append(f"| {one['arm']} | {one['seed']} | {one['steps']} | {curve} | | | |")
            continue
        test, held_out = one["end"]["test"], one["end"]["held_out"]
        lines.append(
            f"| {one['arm']} | {one['seed']} | {one['steps']} | {curve} | {100 * test['right']:.1f} | "
            f"{100 * held_out['right']:.1f} | {100 * test['shuffled_right']:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
