"""Our causal video autoencoder beside diffusers' `AutoencoderKLWan`, cut to the same size, trained equally long.

    python benchmarks/vae_peer.py train wan            about 40 minutes of one core
    python benchmarks/vae_peer.py train ours
    python benchmarks/vae_peer.py compare              reads them, times them, writes benchmarks/results/vae_peer.json

Ours and the peer have the same number of parameters (within 2 %), latents of the same shape, and all that the recipe of
`sprites-vae` says: data, loss, optimiser, learning rate, precision, batch, running mean. Both get twenty minutes of two
cores, counted as forty minutes of one core's time, so that other work on the machine takes nothing from either. The
learning rate stays constant; what is measured is the running mean of the weights.

The peer's decoder clamps its output to [-1, 1], where gradients end; for training the clamp is left out.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.vae import DecoderOutput
from sprites import machine

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.training import muon, read_log, read_weights, train
from common.zoo.sprites_vae import measures
from common.zoo.sprites_vae.recipe import RECIPE

RESULTS = Path(__file__).resolve().parent / "results" / "vae_peer.json"
CORE_SECONDS = 20 * 60 * 2
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
BARS = {"psnr": 1.0, "times": 3.0}  # dB more; times faster, encode and decode together
ROUNDS = 9


class Wan(AutoencoderKLWan):
    """The peer, with a decoder that passes gradients."""

    def _decode(self, z: torch.Tensor, return_dict: bool = True):
        self.clear_cache()
        z, pieces = self.post_quant_conv(z), []
        for k in range(z.shape[2]):
            self._conv_idx = [0]
            piece = z[:, :, k : k + 1]
            pieces.append(self.decoder(piece, feat_cache=self._feat_map, feat_idx=self._conv_idx, first_chunk=k == 0))
        self.clear_cache()
        clip = torch.cat(pieces, dim=2)
        return DecoderOutput(sample=clip) if return_dict else (clip,)


SIDES = {
    "ours": lambda: CausalVideoVAE(**PRESETS["cpu"]),
    "wan": lambda: Wan(base_dim=13, z_dim=16, num_res_blocks=1),
}


def main(description, sides, results, core_seconds, conclude):
    """The command of a comparison.

    Args:
        description: its first line is shown as help.
        sides: name -> function that builds the model. The first is ours.
        results: the JSON that `compare` writes.
        core_seconds: of training, unless told otherwise.
        conclude: what to say of the measured sides, as lines.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("what", choices=("train", "compare"))
    parser.add_argument("side", nargs="?", choices=sides)
    parser.add_argument("--folder", type=Path, default=Path("runs") / results.stem)
    parser.add_argument("--core-seconds", type=float, default=core_seconds)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.what == "train":
        folder = arguments.folder / arguments.side
        train_side(arguments.side, sides[arguments.side], folder, arguments.core_seconds)
    else:
        report = {"machine": machine(), "sides": compare(sides, arguments.folder)}
        results.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print("\n".join([*table(report["sides"]), "", *conclude(report["sides"])]))


def train_side(side: str, build, folder: Path, core_seconds: float) -> None:
    """Train one side for that many seconds of one core. A second call goes on where the first was stopped."""
    recipe = replace(RECIPE, name=f"vae-peer-{side}", build_model=lambda preset: build())
    if side == "wan":  # by custom Adam takes the layers at the ends: here, those
        ends = ("encoder.conv_in", "encoder.conv_out", "quant_conv", "decoder.conv_in", "decoder.conv_out")
        recipe = replace(recipe, optimizer=partial(muon, ends=ends))
    _, settings = recipe.at("main", "cpu")
    plan = folder / "plan.json"
    if not plan.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        plan.write_text(json.dumps({"steps": round(core_seconds / seconds_a_step(recipe, settings, folder))}))
    steps = json.loads(plan.read_text())["steps"]
    changes = {"steps": steps, "measure_every": 0, "sheet_every": 0, "checkpoint_every": max(1, steps // 20)}
    train(recipe, "cpu", folder=folder / "run", settings=replace(settings, **changes))


def seconds_a_step(recipe, settings, folder: Path) -> float:
    """Of one core: the median over a few steps of a run that is thrown away."""
    few = replace(settings, steps=7, log_every=1, measure_every=0, sheet_every=0)
    train(replace(recipe, measure=None, sheet=None), "cpu", folder=folder / "trial", settings=few, quiet=True)
    done = [line["cpu_seconds"] for line in read_log(folder / "trial")]
    return statistics.median(later - earlier for earlier, later in pairwise(done[1:]))  # the first warms up


@torch.no_grad()
def compare(builds: dict, folder: Path) -> dict:
    """Quality of each on held-out sprites and film, and the seconds of one core that a clip takes to and fro."""
    models, sides = {}, {}
    for side, build in builds.items():
        models[side] = build().eval()
        models[side].load_state_dict(read_weights(folder / side / "run" / "weights"))
        last = read_log(folder / side / "run")[-1]
        sides[side] = {
            "parameters": sum(p.numel() for p in models[side].parameters()),
            "steps": last["step"] + 1,
            "core_seconds": round(last["cpu_seconds"]),
            **{name: round(value, 3) for name, value in measures.measure(models[side], "small").items()},
        }
    clip = measures.as_clips(RECIPE.data("cpu").batch([0]))
    for side, model in models.items():
        sides[side]["latents"] = list(model.encode(clip).latent_dist.mean.shape[1:])
    for precision, dtype in PRECISIONS.items():
        for side, seconds in timed(models, clip, dtype).items():
            sides[side][f"seconds_{precision}"] = round(seconds, 4)
    return sides


def timed(models: dict, clip: torch.Tensor, dtype) -> dict[str, float]:
    """Median seconds of one core for encode and decode of one clip, the sides taking turns."""
    taken = {side: [] for side in models}
    with torch.autocast("cpu", dtype, enabled=dtype is not None):
        for done in range(ROUNDS + 1):
            for side, model in models.items():
                began = time.process_time()
                model.decode(model.encode(clip).latent_dist.mode())
                if done:  # the first round warms up
                    taken[side].append(time.process_time() - began)
    return {side: statistics.median(seconds) for side, seconds in taken.items()}


def table(sides: dict) -> list[str]:
    """All sides, a line a measure."""
    lines = [f"| | {' | '.join(sides)} |", f"|---|{'---|' * len(sides)}"]
    names = next(iter(sides.values()))
    return lines + [f"| {name} | {' | '.join(str(side.get(name)) for side in sides.values())} |" for name in names]


def beside_wan(sides: dict) -> list[str]:
    """The two bars."""
    ours, wan = sides["ours"], sides["wan"]
    more = ours["held_out/psnr"] - wan["held_out/psnr"]
    lines = [f"held-out sprites: {more:+.2f} dB beside Wan (bar {BARS['psnr']:+.1f})"]
    for precision in PRECISIONS:
        times = wan[f"seconds_{precision}"] / ours[f"seconds_{precision}"]
        lines.append(f"encode and decode, {precision}: {times:.1f} times faster than Wan (bar {BARS['times']})")
    return lines


if __name__ == "__main__":
    main(__doc__, SIDES, RESULTS, CORE_SECONDS, beside_wan)
