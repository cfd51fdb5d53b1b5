"""What may attend to what: five attention patterns in one small DiT, at equal steps and at equal FLOPs.

    python benchmarks/pattern_arms.py                     train and measure every run that has no record yet
    python benchmarks/pattern_arms.py --runs full-0       one run: its pattern and its seed
    python benchmarks/pattern_arms.py --table             the records so far, as Markdown

Stop it whenever you like: the same command goes on from the last checkpoint. The runs with full and with factorised
attention have three seeds, the others one. Of each pattern at least 1,000 clips are made and read, 344 for each of
three seeds. A run with full attention is measured twice: also after the step at which it has spent as many FLOPs as
factorised attention spends on all of its steps. The records are in benchmarks/results/pattern_arms.json.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from mini_arm import read
from sprites import machine
from time_to_quality import commit
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common.data.mini import MiniSprites
from common.evaluation.mini import mini_agreement
from common.evaluation.motions import motion_shares
from common.evaluation.share import Share
from common.training import checkpoint, read_log, train
from common.zoo.pattern_arm import SETTINGS, build_arm, coder, generate, pattern_recipe

RESULTS = Path(__file__).resolve().parent / "results" / "pattern_arms.json"
COMPARED, OTHERS = ("full", "factorised"), ("spatial", "windows", "shifted")
SEEDS = 3  # of the two that are compared
NUM_CLIPS = 1032  # that are made and read per pattern
SPAN = 50  # steps that are averaged in a loss curve
SHOWN = ("motion", "color", "right")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", default=all_runs())
    parser.add_argument("--steps", type=int, default=SETTINGS["cpu"].steps)
    parser.add_argument("--clips", type=int, default=NUM_CLIPS, help="Per pattern, over all of its seeds.")
    parser.add_argument("--folder", type=Path, default=Path("runs/pattern_arms"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for run in () if arguments.table else arguments.runs:
        pattern, seed = run.rsplit("-", 1)
        for steps in stops(pattern, arguments.steps):
            known = [[one["pattern"], one["seed"], one["steps"]] for one in read(arguments.results)]
            if [pattern, int(seed), steps] not in known:
                settings = replace(SETTINGS["cpu"], steps=steps, seed=int(seed))
                train(pattern_recipe(pattern), "cpu", folder=arguments.folder / run, settings=settings, quiet=True)
                keep(record(pattern, int(seed), steps, arguments.clips, arguments.folder / run), arguments.results)
                print(table(read(arguments.results)[-1:]), flush=True)
    print(table(read(arguments.results)))


def all_runs() -> list[str]:
    """Pattern and seed of every run, in the order in which they are made."""
    first = [f"{pattern}-0" for pattern in (*COMPARED, *OTHERS)]
    return [*first, *(f"{pattern}-{seed}" for seed in range(1, SEEDS) for pattern in COMPARED)]


@torch.no_grad()
def model_flops(pattern: str) -> int:
    """FLOPs of a forward pass for one clip, as torch counts them."""
    model = build_arm(pattern).eval()
    inputs = torch.zeros(1, *coder().shape), torch.zeros(1), torch.zeros(1, model.config.num_words)
    with FlopCounterMode(display=False) as counted, sdpa_kernel(SDPBackend.MATH):
        model(*inputs)
    return counted.get_total_flops()


def stops(pattern: str, steps: int) -> list[int]:
    """After which steps a run is measured."""
    if pattern != "full":
        return [steps]
    return [round(steps * model_flops("factorised") / model_flops("full")), steps]


def record(pattern: str, seed: int, steps: int, num_clips: int, place: Path) -> dict:
    """How good a run is where it stands.

    Args:
        pattern: of the run.
        seed: of its weights and noise.
        steps: how many it has made.
        num_clips: that are made and read per pattern.
        place: folder of the run.
    """
    found = checkpoint.load_newest(place / "checkpoints", print)
    assert found.step == steps, f"{place} is at step {found.step}, not at {steps}"
    model = build_arm(pattern)
    model.load_state_dict({name: found.tensors[f"ema.{name}"] for name in model.state_dict()})
    count = num_clips // (SEEDS if pattern in COMPARED else 1)
    log = [line for line in read_log(place) if line["step"] < steps]
    return {
        "pattern": pattern,
        "seed": seed,
        "steps": steps,
        "batch_size": SETTINGS["cpu"].batch_size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "flops": model_flops(pattern),
        "core_seconds": round(found.state["cpu_seconds"]),
        "loss": curve(log),
        "end": final(model.eval(), range(seed * count, (seed + 1) * count)),
        "machine": machine(),
        "commit": commit(),
    }


def curve(log: list[dict]) -> list[list]:
    """Step, and the mean of the logged losses since the step before."""
    spans: dict[int, list[float]] = {}
    for line in log:
        spans.setdefault((line["step"] // SPAN + 1) * SPAN, []).append(line["loss"])
    return [[step, round(sum(losses) / len(losses), 4)] for step, losses in spans.items()]


def final(model, numbers: range) -> dict[str, list[int]]:
    """How many clips for these captions of the test split show what was asked for, and of how many.

    `shuffled`: the motion, read against the caption of the next clip.
    """
    captions = list(MiniSprites("test", num_frames=1, size=8).batch(numbers).captions)
    clips = generate(model, captions, first_seed=numbers.start)
    rows = mini_agreement(captions, clips)
    others = mini_agreement(captions[1:] + captions[:1], clips)
    counts = {name: sum(row[name] for row in rows) for name in (*SHOWN, "num_objects")}
    counts["shuffled"] = sum(row["motion"] for row in others)
    found = {name: [count, len(captions)] for name, count in counts.items()}
    return found | {f"motion {word}": [s.right, s.total] for word, s in motion_shares(captions, clips).items()}


def keep(found: dict, results: Path) -> None:
    """Put a record into the file, in place of an older one of the same run at the same step."""
    named = lambda one: (one["pattern"], one["seed"], one["steps"])  # noqa: E731
    records = [one for one in read(results) if named(one) != named(found)] + [found]
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(records, indent=None).replace("}, {", "},\n {") + "\n", encoding="utf-8")


def table(records: list[dict]) -> str:
    """A row per record: the last loss, then shares with their intervals."""
    lines = ["| pattern | seed | steps | core-s | GFLOP | loss | motion | colour | shuffled |", "|---|" + "---|" * 8]
    for one in records:
        shares = [str(Share(*one["end"][name])) for name in ("motion", "color", "shuffled")]
        lines.append(
            f"| {one['pattern']} | {one['seed']} | {one['steps']} | {one['core_seconds']} | {one['flops'] / 1e9:.3f} | "
            f"{one['loss'][-1][1]:.3f} | {' | '.join(shares)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
