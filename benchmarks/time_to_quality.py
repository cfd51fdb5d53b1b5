"""How good a recipe's model is after so much computing, and what each of its tricks is worth.

    python benchmarks/time_to_quality.py sprites-vae                     the recipe, then without each trick in turn
    python benchmarks/time_to_quality.py sprites-vae --only bf16         only without that one
    python benchmarks/time_to_quality.py --table                         the records so far, as Markdown

Each run is trained from scratch, by the recipe's own stage `main` with a constant learning rate, until it has used the
same seconds of one core (`--core-seconds`), one thread each: by that clock, other work on the machine takes nothing
from any run. What is read off is the recipe's own measure, of the running mean of the weights, at five times of each
run. Every run is a record, with date, machine and commit, in benchmarks/results/time_to_quality.json.
"""

import argparse
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import torch
from sprites import machine
from torch import nn
from torch.nn import functional as F

from common.layers import CausalConv3d, ChannelNorm
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.training import read_log, train
from common.training.recipe import adamw
from common.zoo.sprites_vae.recipe import IMAGE_WEIGHT, KL_WEIGHT, RECIPE, through

RESULTS = Path(__file__).resolve().parent / "results" / "time_to_quality.json"
NUM_LOOKS = 5


class WholeBlock(nn.Module):
    """What `FactorizedBlock` stands for: 3×3×3 kernels in place of 3×3 over space and 3 over time."""

    def __init__(self, num_channels: int):
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(num_channels) for _ in range(2))
        self.convs = nn.ModuleList(CausalConv3d(num_channels, num_channels, (3, 3, 3)) for _ in range(2))
        nn.init.zeros_(self.convs[1].conv.weight)
        nn.init.zeros_(self.convs[1].conv.bias)

    def forward(self, x, cache=None):
        h, caches = x, []
        for norm, conv, past in zip(self.norms, self.convs, cache or (None, None)):
            h, past = conv(F.silu(norm(h)), past)
            caches.append(past)
        return x + h, caches


def with_whole_blocks(preset: str):
    model = RECIPE.build_model(preset)
    for part in (model.encoder.fine, model.encoder.coarse, model.decoder.fine, model.decoder.coarse):
        part.blocks = nn.ModuleList(WholeBlock(block.space.conv.in_channels) for block in part.blocks)
    return model


def plain_loss(model, pixels, noise):
    """Mean absolute and mean squared error over the whole batch, in place of each clip's root mean square."""
    clips = pixels.float() / 127.5 - 1
    restored, kl = through(model, clips, noise, "clip")
    l1, mse = F.l1_loss(restored, clips), F.mse_loss(restored, clips)
    change = F.l1_loss(restored.diff(dim=2), clips.diff(dim=2))
    images = clips[torch.arange(len(clips)), :, noise.integers("frame", clips.shape[2])][:, :, None]
    restored_images, _ = through(model, images, noise, "image")
    image = F.l1_loss(restored_images, images) + 2 * F.mse_loss(restored_images, images)
    return {"loss": l1 + 2 * mse + 0.5 * change + IMAGE_WEIGHT * image + KL_WEIGHT * kl}


def wide(preset: str):
    """The preset `gpu`, three times as many weights."""
    return CausalVideoVAE(**PRESETS["gpu"])


# name -> (recipe, settings) -> both without the trick, and what stands in its place
TRICKS = {
    "sprites-vae": {
        "muon": (lambda r, s: (replace(r, optimizer=adamw), replace(s, learning_rate=1.5e-3)), "AdamW at 1.5e-3"),
        "bf16": (lambda r, s: (r, replace(s, precision="fp32")), "float32"),
        "running mean": (lambda r, s: (r, replace(s, ema_decay=0.0)), "the weights themselves"),
        "small model": (lambda r, s: (replace(r, build_model=wide), s), "3.2 times the weights"),
        "loss by clip": (lambda r, s: (replace(r, compute_loss=plain_loss), s), "L1 + 2 MSE"),
        "(2+1)D": (lambda r, s: (replace(r, build_model=with_whole_blocks), s), "3x3x3 kernels"),
    }
}
RECIPES = {"sprites-vae": (RECIPE, "psnr_sprites")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", choices=RECIPES)
    parser.add_argument("--core-seconds", type=float, default=240)
    parser.add_argument("--only", help="A trick to leave out, or `none` for the recipe as it is.")
    parser.add_argument("--folder", type=Path, default=Path("runs/time_to_quality"))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.recipe:
        names = [arguments.only] if arguments.only else ["none", *TRICKS[arguments.recipe]]
        for name in names:
            keep(record(arguments.recipe, name, arguments.core_seconds, arguments.folder))
    print(table(json.loads(RESULTS.read_text())))


def record(name: str, without: str, core_seconds: float, folder: Path) -> dict:
    """Train the recipe without a trick and say how good it was when."""
    recipe, measure = RECIPES[name]
    _, settings = recipe.at("main", "cpu")
    settings = replace(settings, decay="none", sheet_every=0, log_every=1)
    instead = "-"
    if without != "none":
        change, instead = TRICKS[name][without]
        recipe, settings = change(recipe, settings)
    place = folder / name / f"{without.replace(' ', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    train(replace(recipe, measure=None), "cpu", folder=place / "trial", settings=replace(settings, steps=5), quiet=True)
    lines = read_log(place / "trial")
    steps = round(core_seconds * 3 / (lines[4]["cpu_seconds"] - lines[1]["cpu_seconds"]))  # the first steps warm up
    looks = {"steps": steps, "measure_every": max(1, steps // NUM_LOOKS), "checkpoint_every": max(1, steps // 4)}
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
