"""Measures the outcomes of lab 05.2: the reference, and what is broken, five seeds each.

    python tests/labs/05_video_vae/calibration/02_small_3d_vae.py            both, about three core-minutes
    python tests/labs/05_video_vae/calibration/02_small_3d_vae.py trains     the grader's alone
    python tests/labs/05_video_vae/calibration/02_small_3d_vae.py page       the page's alone

`trains` is the grader's own short run. `settles` and `carries` are about the page's run at `ci`: stage "settle" of the
recipe, from the weights of second 60. The numbers go into the JSON file beside this one.
"""

import contextlib
import importlib.util
import json
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from common.course.graders import outcomes
from common.models.autoencoder import CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.training import train
from common.training.vae import KL_WEIGHT, reconstruction_loss, train_step
from common.zoo.sprites_vae_minute import recipe as minute
from common.zoo.sprites_vae_minute.measures import mean_frame_psnr, mean_psnr, moving_clips

HERE = Path(__file__).resolve()
GRADER = HERE.parents[1] / f"test_{HERE.name}"
SEEDS = range(5)
NUM_CLIPS = 24


@contextlib.contextmanager
def kl_over_pictures():
    """While this lasts, `kl` sums channels, frames and rows, as diffusers' does on five axes; columns are averaged."""
    own = DiagonalGaussian.kl
    DiagonalGaussian.kl = lambda self: DiagonalGaussianDistribution(torch.cat([self.mean, self.logvar], 1)).kl()
    try:
        yield
    finally:
        DiagonalGaussian.kl = own


def settled(seed: int, kl_weight: float = KL_WEIGHT, start: str = "sprites-vae-minute") -> CausalVideoVAE:
    """The model after the page's run at `ci`."""
    _, settings = minute.RECIPE.at("settle", "cpu")
    settings = replace(settings, seed=seed, first_sample=settings.first_sample + 1000 * seed)
    step = partial(minute.step, train_step=partial(train_step, kl_weight=kl_weight))
    recipe = replace(minute.RECIPE, step=step, sheet=None, measure=None, finish=None)
    weights = CausalVideoVAE.from_pretrained(start).state_dict()
    with tempfile.TemporaryDirectory() as folder:
        done = train(recipe, "cpu", stage="settle", folder=folder, settings=settings, weights=weights, quiet=True)
        return CausalVideoVAE.from_pretrained(done).eval()


@torch.no_grad()
def judged(model: CausalVideoVAE, clips: torch.Tensor) -> tuple[float, float]:
    """Decibels above the mean frame, and what the latents carry, in nats per pixel value."""
    nats = torch.cat([model.encode(part).latent_dist.kl() for part in clips.split(8)]).mean() / clips[0].numel()
    return round(mean_psnr(model, clips) - mean_frame_psnr(clips), 3), round(nats.item(), 4)


def pages_run() -> dict:
    """The outcomes of the page's run at `ci`."""
    clips = moving_clips(NUM_CLIPS)
    found = {"reference": [], "the KL term over the wrong axes": [], "the KL term 100 times": []}
    for seed in SEEDS:
        found["reference"].append(judged(settled(seed), clips))
        with kl_over_pictures():
            model = settled(seed)
        found["the KL term over the wrong axes"].append(judged(model, clips))
        found["the KL term 100 times"].append(judged(settled(seed, 100 * KL_WEIGHT), clips))
        print(seed, {name: rows[-1] for name, rows in found.items()}, flush=True)
    untrained = judged(CausalVideoVAE.from_pretrained("sprites-vae-minute").eval(), clips)
    return found | {"no training": [untrained] * len(SEEDS)}


def nothing(coder, optimizer, clips, generator) -> None:
    """Broken: it does all but move."""
    coder.decode(coder.encode(clips).latent_dist.sample(generator))


def from_the_mode(coder, optimizer, clips, generator) -> None:
    """Broken: it never draws, and so pays nothing for the variance."""
    optimizer.zero_grad()
    reconstruction_loss(coder.decode(coder.encode(clips).latent_dist.mode()).sample, clips).backward()
    optimizer.step()


def short_run() -> dict:
    """The outcome of the grader's run."""
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    grader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(grader)
    arms = {"reference": train_step, "the weights never move": nothing, "the latents are never drawn": from_the_mode}
    return {name: [round(grader.error_after_training(step, seed), 4) for seed in SEEDS] for name, step in arms.items()}


def outcome(measure: str, better: str, threshold: float, numbers: dict) -> dict:
    """One entry of the JSON."""
    broken = {name: values for name, values in numbers.items() if name != "reference"}
    return {"measure": measure, "better": better, "threshold": threshold, "reference": numbers["reference"],
            "broken": broken}  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    store = HERE.with_suffix(".json")
    known = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {"outcomes": {}}
    entries = {name: entry for name, entry in known["outcomes"].items() if name in ("trains", "settles", "carries")}
    if sys.argv[1:] != ["trains"]:
        runs = pages_run()
        print(runs)
        level = {name: [row[0] for row in rows] for name, rows in runs.items()}
        nats = {name: [row[1] for row in rows] for name, rows in runs.items()}
        above = {name: level[name] for name in ("reference", "no training")}
        entries["settles"] = outcome("PSNR above that of the mean frame, in dB,", "higher", 0.2, above)
        carried = {name: nats[name] for name in ("reference", "the KL term 100 times")}
        entries["carries"] = outcome("what the latents carry, in nats per pixel value,", "higher", 0.22, carried)
        known["measured"] = {"above_mean_frame": level, "nats_per_pixel_value": nats}
    if sys.argv[1:] != ["page"]:
        entries["trains"] = outcome("the error of new clips", "lower", 0.3, short_run())
    document = {"seeds": list(SEEDS), "outcomes": entries} | {"measured": known.get("measured", {})}
    store.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    outcomes.load(GRADER)  # an error unless each threshold parts the reference from what is broken


if __name__ == "__main__":
    main()
