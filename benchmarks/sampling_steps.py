"""How many sampling steps an arm of the `mini` world needs, and how much of that is the sampler.

    python benchmarks/sampling_steps.py --arm epsilon --seed 0 --sampler trailing --steps 4 8 16 64 --clips 384
    python benchmarks/sampling_steps.py --arm video --seed 0 --sampler euler --steps 8 --clips 1000
    python benchmarks/sampling_steps.py --table                    the records so far, as Markdown

The weights are those at the end of a run of `mini_arm.py`. All samplers are deterministic: they start from the same
noise, with the same guidance, and differ in the levels that they visit.

    euler       Euler's steps along the velocity, levels shifted by 4; a model of noise or v is converted
    even        the same, levels not shifted
    trailing    DDIM, timesteps evenly down from the last one (`ddim_timesteps`)
    leading     DDIM, timesteps evenly from 0 up, as in diffusers' default
    crossed     a control: Euler with what a noise model predicts, DDIM with what a velocity model predicts

The records are in benchmarks/results/sampling_steps.json, one per arm, seed, sampler, steps and first caption.
"""

import argparse
import time
from pathlib import Path

import torch
from mini_arm import keep, read
from sprites import machine
from time_to_quality import commit

from common.data.mini import MiniSprites
from common.diffusion.samplers import ddim, euler, last
from common.diffusion.schedules import ddim_timesteps, flow_levels
from common.evaluation.mini import mini_agreement
from common.models.dit import VideoDiT
from common.zoo.mini_arm import ARMS, BATCH, SHIFT, MiniCoder, draw_latents
from common.zoo.mini_objectives import alphas_cumprod, as_velocity

RESULTS = Path(__file__).resolve().parent / "results" / "sampling_steps.json"
SAMPLERS = ("euler", "even", "trailing", "leading", "crossed")
COUNTED = ("right", "color", "motion")
NAMED = ("arm", "seed", "sampler", "steps", "first")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arm", choices=ARMS, default="video")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampler", choices=SAMPLERS, default="euler")
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 8, 16, 64])
    parser.add_argument("--clips", type=int, default=384)
    parser.add_argument("--first", type=int, default=0, help="Caption of the test split to begin with.")
    parser.add_argument("--folder", type=Path, default=Path("runs/mini_arm"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = None if arguments.table else weights(arguments.folder, arguments.arm, arguments.seed)
    for steps in () if arguments.table else arguments.steps:
        asked = range(arguments.first, arguments.first + arguments.clips)
        began = time.process_time()
        counts = measure(model, arguments.arm, arguments.sampler, steps, asked)
        spent = time.process_time() - began
        found = {"arm": arguments.arm, "seed": arguments.seed, "sampler": arguments.sampler, "steps": steps,
                 "first": arguments.first, **counts, "total": arguments.clips, "core_seconds": round(spent),
                 "machine": machine(), "commit": commit()}  # fmt: skip
        print({name: found[name] for name in ("arm", "seed", "sampler", "steps", *COUNTED, "total", "core_seconds")})
        keep(found, arguments.results, NAMED)
    print(table(read(arguments.results)))


def weights(folder: Path, arm: str, seed: int) -> VideoDiT:
    """The end of a run of the default number of core-seconds; the shipped weights where there is no such run."""
    place = folder / f"{arm}-600-{seed}" / "weights"
    found = str(place) if place.is_dir() else {"video": "mini-video"}[arm]
    return VideoDiT.from_pretrained(found, torch_dtype=torch.float32).eval().requires_grad_(False)


@torch.no_grad()
def measure(model, arm: str, sampler: str, steps: int, asked: range) -> dict[str, int]:
    """How many of the clips are right, have the colour, have the motion."""
    captions = MiniSprites("test", num_frames=1, size=8).batch(asked).captions
    coder, counts = MiniCoder(), dict.fromkeys(COUNTED, 0)
    kind = ARMS[arm].get("kind_of_prediction", "velocity")
    latents = draw_latents(*predicted(model, kind, sampler), coder, captions, sample=way(kind, sampler, steps))
    for start in range(0, len(captions), BATCH):
        clips = coder.decode(latents[start : start + BATCH])
        for row in mini_agreement(captions[start : start + BATCH], clips):
            counts = {name: counts[name] + row[name] for name in COUNTED}
    return counts


def predicted(model, kind: str, sampler: str) -> tuple:
    """What the sampler asks: a velocity at a level s, or the model itself at a timestep."""
    along_the_flow = sampler in ("euler", "even") or (sampler == "crossed" and kind != "velocity")
    if along_the_flow:
        asked = as_velocity(model, kind) if sampler != "crossed" and kind != "velocity" else model
        return (lambda x, s, *prompt: asked(x, 1000 * s, *prompt).sample,)
    return (lambda x, timestep, *prompt: model(x, timestep.float(), *prompt).sample,)


def way(kind: str, sampler: str, steps: int):
    """A sampler as `draw_latents` calls it."""
    if sampler in ("euler", "even") or (sampler == "crossed" and kind != "velocity"):
        levels = flow_levels(steps, 1.0 if sampler == "even" else SHIFT)
        return lambda predict, noise, seeds: last(euler(predict, noise, levels))
    timesteps = ddim_timesteps(steps)
    if sampler == "leading":
        timesteps = torch.arange(steps - 1, -1, -1) * (1000 // steps)
    kind = "epsilon" if sampler == "crossed" else kind
    return lambda predict, noise, seeds: last(ddim(predict, noise, timesteps, alphas_cumprod(), kind))


def table(records: list[dict]) -> str:
    """A row per arm, seed and sampler: per cent right at each number of steps."""
    steps = sorted({one["steps"] for one in records})
    lines = ["| arm | seed | sampler | first | " + " | ".join(f"K = {k}" for k in steps) + " |"]
    lines += ["|---" * (4 + len(steps)) + "|"]
    rows = {}
    for one in records:
        key = tuple(str(one[name]) for name in ("arm", "seed", "sampler", "first"))
        rows.setdefault(key, {})[one["steps"]] = f"{100 * one['right'] / one['total']:.1f} of {one['total']}"
    return "\n".join(
        lines + [f"| {' | '.join((*key, *(row.get(k, '') for k in steps)))} |" for key, row in rows.items()]
    )


if __name__ == "__main__":
    main()
