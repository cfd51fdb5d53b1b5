"""Moving MNIST, 10 -> 10: our ConvLSTM beside the published ConvLSTM-S and a SimVP of our size, trained equally long.

    python benchmarks/moving_mnist.py count                what each side weighs and multiplies
    python benchmarks/moving_mnist.py time                 what a step takes of one core, and how many fit in an hour
    python benchmarks/moving_mnist.py train ours           two hours of one core
    python benchmarks/moving_mnist.py train convlstm_s
    python benchmarks/moving_mnist.py train simvp
    python benchmarks/moving_mnist.py compare              reads them, measures them, writes the results

Every side gets what the recipe of `digits-convlstm` says: data, loss, optimiser, learning rate, batch, schedule and
running mean. Each gets the steps that sixty minutes of two cores allow it: `time` measures a step as seconds of one
core's own time, one thread, so that other work on the machine takes nothing from any side, and 7,200 of these are
shared out among its steps. Making the clips is charged to no one. A second call of `train` goes on where the first was
stopped.

The same steps can be carried out elsewhere, minutes in place of hours: in float32 too, but that a GPU multiplies in its
convolutions with 10 bits of the fraction (TF32, torch's default there), so the same training up to rounding.

    python benchmarks/moving_mnist.py train ours --preset gpu --steps 5277     the number that `time` found on the cores

What is measured is the running mean of the weights, on the first clips of the fixed test set, beside predictors that
know little. Figures from the literature stand below the table with what their training cost: not comparable.

`convlstm_s` has the shape of OpenSTL's ConvLSTM-S (Tan et al. 2023, arXiv:2306.11249): patches of 4x4, four cells of
128 channels, 5x5 kernels. Of their 15.0 M parameters 3.3 M are made and never used (a 5x5 convolution a cell); those
are left out here. `simvp` has the shape of their SimVP with ConvMixer blocks, the published model of our budget (Gao et
al. 2022, arXiv:2206.05099); its batch norms are group norms here.
"""

import argparse
import json
import shutil
import statistics
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from sprites import machine
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from common.models.convlstm import (
    PRESETS,
    ConvLSTMCell,
    ConvLSTMPredictor,
    PredictorOutput,
    as_pixels,
    prediction_loss,
)
from common.training import Recipe, Settings, Stage, muon, read_log, train
from common.zoo.digits_convlstm.measures import BASELINES, measure_clips
from common.zoo.digits_convlstm.recipe import RECIPE, compute_loss

RESULTS = Path(__file__).resolve().parent / "results" / "moving_mnist.json"
CORE_SECONDS = 60 * 60 * 2
TIMED_STEPS = 9  # the first one warms up and does not count
PLAN = "plan.json"  # of a side: the seconds a step, and the steps
NUM_CLIPS = 100  # of the test set, for the comparison; the card of ours has more
MEASURES = ("mse", "mae", "ssim", "psnr")
BAR = 0.5  # of the best baseline's MSE, at most

# OpenSTL's table. Epochs of 10,000 clips on one GPU; multiplications a sequence.
COLUMNS = ("name", "epochs", "parameters", "multiplications", "mse", "mae", "ssim")
PUBLISHED = [
    ("ConvLSTM-S", 200, 15.0e6, 56.8e9, 29.80, 90.64, 0.9288),
    ("PredRNN", 200, 23.8e6, 116.0e9, 23.97, 72.82, 0.9462),
    ("SimVP+IncepU", 200, 58.0e6, 19.4e9, 32.15, 89.05, 0.9268),
    ("SimVP+ConvMixer", 200, 3.9e6, 5.5e9, 32.09, 88.93, 0.9259),
]
UNUSED_BY_CONVLSTM_S = 4 * 2 * 128 * 128 * 5 * 5


class PublishedConvLSTM(ConvLSTMPredictor):
    """Four cells of 128 channels on patches of 4x4, all on one grid; encoder and forecaster are ours."""

    @register_to_config
    def __init__(self, in_channels: int = 1, hidden_channels: int = 128, num_cells: int = 4, kernel_size: int = 5):
        super(ConvLSTMPredictor, self).__init__()
        patch = 16 * in_channels
        inputs = [patch] + [hidden_channels] * (num_cells - 1)
        self.cells = nn.ModuleList(ConvLSTMCell(channels, hidden_channels, kernel_size) for channels in inputs)
        self.patches_out = nn.Conv2d(hidden_channels, patch, 1)
        self.init_weights()

    def step(self, frame: torch.Tensor, state: list | None = None):
        x, new = rearrange((frame + 1) / 2, "b c (h ph) (w pw) -> b (c ph pw) h w", ph=4, pw=4), []
        for cell, old in zip(self.cells, state or [None] * len(self.cells)):
            new.append(cell(x, old))
            x = new[-1][0]
        return rearrange(self.patches_out(x), "b (c ph pw) h w -> b c (h ph) (w pw)", ph=4, pw=4), new


class Mixer(nn.Module):
    """ConvMixer's block (arXiv:2201.09792): a large kernel for each channel, then all channels at each place."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 11):
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, kernel_size, padding="same", groups=in_channels)
        self.pointwise = nn.Conv2d(in_channels, in_channels, 1)
        self.norms = nn.ModuleList(nn.GroupNorm(1, in_channels) for _ in range(2))
        self.reduce = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.norms[0](F.gelu(self.depthwise(x)))
        return self.reduce(self.norms[1](F.gelu(self.pointwise(x))))


class SimVPLike(ModelMixin, ConfigMixin):
    """No recurrence: each frame is encoded, a translator sees all of them as channels, each future frame is decoded."""

    @register_to_config
    def __init__(
        self, num_frames: int = 10, spatial_channels: int = 64, mixer_channels: int = 512, num_mixers: int = 8
    ):
        super().__init__()
        width, merged = spatial_channels, num_frames * spatial_channels

        def layer(channels_in, channels_out, stride=1, shuffle=1):
            conv = nn.Conv2d(channels_in, channels_out * shuffle**2, 3, stride=stride, padding=1)
            return nn.Sequential(conv, nn.PixelShuffle(shuffle), nn.GroupNorm(2, channels_out), nn.SiLU())

        self.first = layer(1, width)
        self.encoder = nn.Sequential(layer(width, width, stride=2), layer(width, width), layer(width, width, stride=2))
        sizes = [merged] + [mixer_channels] * (num_mixers - 1) + [merged]
        self.translator = nn.Sequential(*(Mixer(a, b) for a, b in pairwise(sizes)))
        self.decoder = nn.Sequential(
            layer(width, width, shuffle=2), layer(width, width), layer(width, width, shuffle=2)
        )
        self.last = layer(width, width)
        self.pixels_out = nn.Conv2d(width, 1, 1)
        nn.init.constant_(self.pixels_out.bias, -3.0)

    def forward(self, past: torch.Tensor, num_future: int = 10, truth=None, probability=0.0, coins=None):
        """As `ConvLSTMPredictor`; the truth is never read, since no prediction is."""
        num_frames = past.shape[2]
        assert num_frames == num_future == self.config.num_frames
        fine = self.first(rearrange((past + 1) / 2, "b c t h w -> (b t) c h w"))
        x = rearrange(self.encoder(fine), "(b t) c h w -> b (t c) h w", t=num_frames)
        x = rearrange(self.translator(x), "b (t c) h w -> (b t) c h w", t=num_frames)
        x = self.pixels_out(self.last(self.decoder(x) + fine))
        logits = rearrange(x, "(b t) c h w -> b c t h w", t=num_frames)
        return PredictorOutput(sample=as_pixels(logits), logits=logits)


def future_loss(model, batch, noise):
    """The recipe's loss for a model that expects nothing of the past."""
    past, future = batch.clips().chunk(2, dim=2)
    return {"loss": prediction_loss(model(past, future.shape[2]).logits, future)}


# side -> model, and what the recipe is changed by: Adam trains the layers that touch pixels
SIDES = {
    "ours": (lambda: ConvLSTMPredictor(**PRESETS["cpu"]), {}),
    "convlstm_s": (lambda: PublishedConvLSTM(), {}),
    "simvp": (
        lambda: SimVPLike(),
        {"compute_loss": future_loss, "optimizer": partial(muon, ends=("first", "pixels_out"))},
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("count", "time", "train", "compare"))
    parser.add_argument("side", nargs="?", choices=SIDES)
    parser.add_argument("--folder", type=Path, default=Path("runs/moving_mnist"))
    parser.add_argument("--preset", choices=("cpu", "gpu"), default="cpu", help="where the steps are carried out")
    parser.add_argument("--steps", type=int, help="in place of those that `time` found")
    parser.add_argument("--core-seconds", type=float, default=CORE_SECONDS)
    parser.add_argument("--clips", type=int, default=NUM_CLIPS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [arguments.side] if arguments.side else list(SIDES)
    if arguments.what == "count":
        for side in chosen:
            print(f"{side:12s}", counted(SIDES[side][0]()))
        print(f"convlstm_s as published, with {UNUSED_BY_CONVLSTM_S:,} parameters that are never used")
    elif arguments.what == "time":
        for side in chosen:
            print(f"{side:12s}", timed(side, arguments.folder / side, arguments.core_seconds))
    elif arguments.what == "train":
        if arguments.side is None:
            parser.error("train takes a side")
        folder = arguments.folder / arguments.side
        steps = arguments.steps or noted(folder).get("steps")
        if steps is None and arguments.preset == "gpu":
            parser.error("a GPU takes the steps that `time` found on two cores: bring its plan.json, or --steps")
        train_side(arguments.side, folder, steps or timed(arguments.side, folder, arguments.core_seconds)["steps"],
                   arguments.preset)  # fmt: skip
    else:
        report = compare(arguments.folder, arguments.clips)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(table(report))


@torch.no_grad()
def counted(model) -> dict[str, int]:
    """Parameters, and multiplications (each with its addition) of one sequence, ten frames read and ten predicted."""
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 10, 64, 64), num_future=10)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiplications": counter.get_total_flops() // 2,
    }


def recipe_of(side: str) -> tuple[Recipe, Settings]:
    """The recipe with this side's model in it, and its settings: on a GPU those of the CPU."""
    build, changes = SIDES[side]
    recipe, settings = RECIPE.at("main", "cpu")
    recipe = replace(
        recipe,
        name=f"moving-mnist-{side}",
        build_model=lambda preset: build(),
        data=lambda preset: RECIPE.data("cpu"),
        stages={"main": Stage(dict.fromkeys(("cpu", "gpu"), settings))},
    )
    return replace(recipe, **changes), settings


def timed(side: str, folder: Path, core_seconds: float = CORE_SECONDS) -> dict[str, float]:
    """Seconds of one core that a step takes, and how many steps fit: measured on this machine, noted in `plan.json`.

    The median over a few steps of a run that is thrown away.
    """
    recipe, settings = recipe_of(side)
    few = replace(settings, steps=TIMED_STEPS, log_every=1, measure_every=0, sheet_every=0)
    shutil.rmtree(folder / "trial", ignore_errors=True)
    train(replace(recipe, measure=None, sheet=None), "cpu", folder=folder / "trial", settings=few, quiet=True)
    done = [line["cpu_seconds"] for line in read_log(folder / "trial")]
    seconds = statistics.median(later - earlier for earlier, later in pairwise(done))
    return noted(folder, seconds_a_step=round(seconds, 4), steps=round(core_seconds / seconds), timed_on=machine())


def noted(folder: Path, **more) -> dict:
    """What is known of a side: its steps, what one takes of which core, and where it was trained. Notes more of it."""
    plan = json.loads((folder / PLAN).read_text(encoding="utf-8")) if (folder / PLAN).is_file() else {}
    if more:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PLAN).write_text(json.dumps(plan | more, indent=1) + "\n", encoding="utf-8")
    return plan | more


def train_side(side: str, folder: Path, steps: int, preset: str = "cpu") -> None:
    """Train one side for so many steps, in float32. A second call goes on where the first was stopped."""
    recipe, settings = recipe_of(side)
    gpu = preset == "gpu"
    noted(folder, steps=steps, trained_on=torch.cuda.get_device_name() if gpu else machine()["processor"])
    if side != "simvp":  # the truth is faded out over the same part of each side's clips
        fading = partial(compute_loss, num_scheduled=steps * settings.batch_size // 4)
        recipe = replace(recipe, compute_loss=fading)
    often = {"measure_every": 0, "sheet_every": 0, "log_every": 1, "checkpoint_every": max(1, steps // 50)}
    train(recipe, preset, folder=folder / "run", settings=replace(settings, steps=steps, **often))


def compare(folder: Path, num_clips: int) -> dict:
    """Quality of every side that has been trained, and of the baselines, on the same clips."""
    sides = {}
    for side, (build, _) in SIDES.items():
        if not (folder / side / "run" / "weights").is_dir():
            print(f"{side} has not been trained yet")
            continue
        model = type(build()).from_pretrained(folder / side / "run" / "weights", torch_dtype=torch.float32).eval()
        last, plan = read_log(folder / side / "run")[-1], noted(folder / side)
        found = measure_clips(model, num_clips)
        sides[side] = {
            **counted(model),
            "steps": last["step"] + 1,
            "clips_seen": (last["step"] + 1) * RECIPE.stages["main"].settings["cpu"].batch_size,
            "core_seconds_a_step": plan.get("seconds_a_step"),
            "trained_on": plan.get("trained_on"),
            "seconds_there": round(last["seconds"]),
            **{name: round(found[name], 4) for name in MEASURES},
            "mse_by_frame": [round(found[f"mse_frame_{k:02d}"], 2) for k in range(1, 11)],
        }
    names = (*BASELINES, "training_mean")
    baselines = {name: {m: round(found[f"{name}/{m}"], 4) for m in ("mse", "ssim")} for name in names}
    return {
        "machine": machine(),
        "clips": num_clips,
        "sides": sides,
        "baselines": baselines,
        "published": [dict(zip(COLUMNS, row)) for row in PUBLISHED],
    }


def table(report: dict) -> str:
    """All sides, the baselines, the bars; then what others report, and what it cost them."""
    sides, baselines = report["sides"], report["baselines"]
    head = "| | parameters | multiplications | core-seconds a step | steps | clips seen | MSE | MAE | SSIM | PSNR |"
    lines = [head, f"|{'---|' * 10}"]
    for name, side in sides.items():
        counts = f"{side['parameters'] / 1e6:.2f} M | {side['multiplications'] / 1e9:.2f} G"
        counts += f" | {side['core_seconds_a_step']} | {side['steps']:,} | {side['clips_seen']:,}"
        lines.append(
            f"| {name} | {counts} | {side['mse']:.1f} | {side['mae']:.1f} | {side['ssim']:.3f} | {side['psnr']:.1f} |"
        )
    for name, found in baselines.items():
        lines.append(f"| {name} | | | | | | {found['mse']:.1f} | | {found['ssim']:.3f} | |")
    best = min(found["mse"] for found in baselines.values())
    if "ours" in sides:
        lines += ["", f"ours / best baseline: {sides['ours']['mse'] / best:.3f} (bar {BAR})"]
    if {"ours", "convlstm_s"} <= sides.keys():
        lines.append(f"ours {sides['ours']['mse']:.1f}, ConvLSTM-S {sides['convlstm_s']['mse']:.1f} (bar: below)")
    return "\n".join([*lines, "", published_table(report)])


def published_table(report: dict) -> str:
    """What others report, and how many times our training's multiplications theirs took."""
    lines = ["Published, on the benchmark's own digits, not comparable:", ""]
    lines += ["| | parameters | multiplications | clips seen | times our training | MSE |", f"|{'---|' * 6}"]
    ours = report["sides"].get("ours")
    for one in report["published"]:
        clips, giga = 10_000 * one["epochs"], one["multiplications"] / 1e9
        times = (
            clips * one["multiplications"] / (ours["clips_seen"] * ours["multiplications"]) if ours else float("nan")
        )
        size = f"{one['parameters'] / 1e6} M | {giga} G | {clips:,}"
        lines.append(f"| {one['name']} | {size} | {times:,.0f} | {one['mse']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
