"""What may attend to what: five attention patterns in one small transformer, at equal steps and FLOPs.

    python benchmarks/pattern_arms.py                     train and measure every run that has no record yet
    python benchmarks/pattern_arms.py --runs full-0       one run: its pattern and its seed
    python benchmarks/pattern_arms.py --table             the records so far, as Markdown

Stop it whenever you like: the same command goes on from the last checkpoint. The runs with full and with factorised
attention have three seeds, the others one. Each is tried on 1,032 clips that were not trained on: 516, and the same
backward. A run with full attention is measured twice: also after the step at which it has spent as many FLOPs as
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

from common.evaluation.share import Share
from common.training import checkpoint, read_log, train
from common.zoo.pattern_arm import CORNER, SETTINGS, build_arm, coder, moving_latents, pattern_recipe, read_moves

RESULTS = Path(__file__).resolve().parent / "results" / "pattern_arms.json"
COMPARED, OTHERS = ("full", "factorised"), ("spatial", "windows", "shifted")
SEEDS = 3  # of the two that are compared
SPAN = 20  # steps that are averaged in a loss curve


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", default=all_runs())
    parser.add_argument("--steps", type=int, default=SETTINGS["cpu"].steps)
    parser.add_argument("--folder", type=Path, default=Path("runs/pattern_arms"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for run in () if arguments.table else arguments.runs:
        pattern, seed = run.rsplit("-", 1)
        for steps in stops(pattern, arguments.steps):
            known = [[one["pattern"], one["seed"], one["steps"]] for one in read(arguments.results)]
            if [pattern, int(seed), steps] in known:
                continue
            settings = replace(SETTINGS["cpu"], steps=steps, seed=int(seed))
            recipe = replace(pattern_recipe(pattern), measure=None)
            train(recipe, "cpu", folder=arguments.folder / run, settings=settings, quiet=True)
            keep(record(pattern, int(seed), steps, arguments.folder / run), arguments.results)
            print(table(read(arguments.results)[-1:]), flush=True)
    print(table(read(arguments.results)))


def all_runs() -> list[str]:
    """Pattern and seed of every run, in the order in which they are made."""
    first = [f"{pattern}-0" for pattern in (*COMPARED, *OTHERS)]
    return [*first, *(f"{pattern}-{seed}" for seed in range(1, SEEDS) for pattern in COMPARED)]


@torch.no_grad()
def model_flops(pattern: str) -> int:
    """FLOPs of a forward pass for one clip, as torch counts them."""
    with FlopCounterMode(display=False) as counted, sdpa_kernel(SDPBackend.MATH):
        build_arm(pattern).eval()(torch.zeros(1, 1, *coder().shape[1:]))
    return counted.get_total_flops()


def stops(pattern: str, steps: int) -> list[int]:
    """After which steps a run is measured."""
    if pattern != "full":
        return [steps]
    return [round(steps * model_flops("factorised") / model_flops("full")), steps]


def record(pattern: str, seed: int, steps: int, place: Path) -> dict:
    """How good a run is where it stands.

    Args:
        pattern: of the run.
        seed: of its weights.
        steps: how many it has made.
        place: folder of the run.
    """
    found = checkpoint.load_newest(place / "checkpoints", print)
    assert found.step == steps, f"{place} is at step {found.step}, not at {steps}"
    model = build_arm(pattern)
    model.load_state_dict({name: found.tensors[f"ema.{name}"] for name in model.state_dict()})
    right = read_moves(model.eval(), *moving_latents().others)  # (2 B, T', H, W)
    corner = right[:, *CORNER]
    half = len(corner) // 2
    log = [line for line in read_log(place) if line["step"] < steps]
    return {
        "pattern": pattern,
        "seed": seed,
        "steps": steps,
        "batch_size": 2 * SETTINGS["cpu"].batch_size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "flops": model_flops(pattern),
        "core_seconds": round(found.state["cpu_seconds"]),
        "loss": curve(log),
        "corner": [int(corner.sum()), len(corner)],
        "both_ways": int((corner[:half] & corner[half:]).sum()),
        "clips": interval(right.float().flatten(1).mean(dim=1)),
        "tokens": [round(share, 4) for share in right.float().mean(dim=0).flatten().tolist()],
        "machine": machine(),
        "commit": commit(),
    }


def interval(shares: torch.Tensor) -> list[float]:
    """The mean over clips of the part of tokens that are right, and its 95 % interval."""
    mean, half = shares.mean().item(), 1.96 * shares.std().item() / len(shares) ** 0.5
    return [round(value, 4) for value in (mean, mean - half, mean + half)]


def curve(log: list[dict]) -> list[list]:
    """Step, and the mean of the logged losses since the step before."""
    spans: dict[int, list[float]] = {}
    for line in log:
        spans.setdefault((line["step"] // SPAN + 1) * SPAN, []).append(line["loss"])
    return [[step, round(sum(losses) / len(losses), 4)] for step, losses in spans.items()]


def keep(found: dict, results: Path) -> None:
    """Put a record into the file, in place of an older one of the same run at the same step."""
    named = lambda one: (one["pattern"], one["seed"], one["steps"])  # noqa: E731
    records = [one for one in read(results) if named(one) != named(found)] + [found]
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("[\n " + ",\n ".join(map(json.dumps, records)) + "\n]\n", encoding="utf-8")


def table(records: list[dict]) -> str:
    """A row per record: how often the corner of the middle frame is right, and how often a token is."""
    lines = ["| pattern | seed | steps | core-s | MFLOP | loss | corner right | tokens right | both ways |"]
    lines += ["|---|" + "---|" * 8]
    for one in records:
        mean, low, high = one["clips"]
        lines.append(
            f"| {one['pattern']} | {one['seed']} | {one['steps']} | {one['core_seconds']} | {one['flops'] / 1e6:.0f} | "
            f"{one['loss'][-1][1]:.3f} | {Share(*one['corner'])} | {mean:.0%} ({low:.0%} to {high:.0%}) | "
            f"{one['both_ways']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
