"""Milliseconds per frame of a world model at play, beside a DIAMOND-shaped denoiser of diffusers' blocks.

    python benchmarks/world_fps.py [--rounds 20] [--threads 1]

Both have 2.5 to 2.6 million weights, see the same four frames of 64x64 and the key, and are sampled by the same code
(`WorldModel`, EDM, Euler steps), so only the network differs. Ours folds 2x2 pixels into channels and has most of its
weights on a grid of 8x8. DIAMOND's denoiser (arXiv:2405.12399) works at full height with equal widths on four grids,
two residual blocks each; diffusers' `UNet2DModel` is that shape. A third side is ours folded for play, as `arcade-
rooms-fast` is (`FoldedWorldUNet`). They take turns within a round, and who goes first changes. Reported: medians of the
processor's time, which other programs lengthen less than the clock, and frames per second of one core. The weights are
random: speed does not depend on them. What either model achieves is not measured here. The numbers go to
benchmarks/results/world_fps.json.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from diffusers import UNet2DModel
from dit_step import machine
from einops import rearrange

from common.models.world_unet import PRESETS, WorldUNet
from common.pipelines.world import WorldModel

RESULTS = Path(__file__).resolve().parent / "results" / "world_fps.json"
WIDTH = 56  # of the peer, on each of its four grids
STEPS, WARM_UP = (1, 2, 3), 2
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class DiamondShaped(torch.nn.Module):
    """diffusers' U-Net in the place of `WorldUNet`: the frames stacked, the last key as a class label."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.unet = UNet2DModel(
            sample_size=64, in_channels=3 * (1 + config.context), out_channels=3, layers_per_block=2, norm_num_groups=8,
            block_out_channels=(WIDTH,) * 4, down_block_types=("DownBlock2D",) * 4, up_block_types=("UpBlock2D",) * 4,
            resnet_time_scale_shift="scale_shift", num_class_embeds=config.num_actions + 1, add_attention=False,
        )  # fmt: skip

    device = property(lambda self: self.unet.device)

    def forward(self, sample, c_noise, past, actions, context_noise):
        """As `WorldUNet.forward`; the noise on the past is not told."""
        x = torch.cat([sample, rearrange(past, "b c t h w -> b (t c) h w")], dim=1)
        return self.unet(x.to(self.unet.dtype), 1000 * c_noise, actions[:, -1]).sample


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    report = measure(arguments.rounds)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


def measure(rounds: int) -> dict:
    """Milliseconds of the processor's time for every frame, by type, steps and side."""
    torch.manual_seed(0)
    frames = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    report = {"machine": machine(), "milliseconds": {}}
    for dtype_name, dtype in TYPES.items():
        ours = WorldUNet(**PRESETS["cpu"])
        peer = DiamondShaped(SimpleNamespace(**ours.config))
        report["parameters"] = {name: sum(p.numel() for p in model.parameters())
                                for name, model in (("ours", ours), ("diamond", peer))}  # fmt: skip
        fast = WorldUNet(**PRESETS["cpu"])
        worlds = {"ours": WorldModel(ours, dtype), "folded": WorldModel(fast, dtype, folded=True),
                  "diamond": WorldModel(peer, dtype)}  # fmt: skip
        for num_steps in STEPS:
            sessions = {name: world.start(frames, [0] * 3, num_steps=num_steps) for name, world in worlds.items()}
            rows = report["milliseconds"].setdefault(f"{dtype_name}, {num_steps} steps", {name: [] for name in worlds})
            for done in range(rounds + WARM_UP):
                first = done % len(sessions)
                for name in [*sessions, *sessions][first : first + len(sessions)]:
                    began = time.process_time()
                    sessions[name].step(done % 6)
                    if done >= WARM_UP:
                        rows[name].append(round(1000 * (time.process_time() - began), 2))
    return report


def table(report: dict) -> str:
    """The medians, one line per setting."""
    about = report["machine"]
    lines = [f"{about['processor']}, {about['threads']} threads, load {about['load']}, parameters "
             f"{report['parameters']}", ""]  # fmt: skip
    lines += ["| setting | ours, ms | folded, ms | folded, fps | DIAMOND-shaped, ms | folded / DIAMOND-shaped |"]
    lines += ["|---|---|---|---|---|---|"]
    for setting, row in report["milliseconds"].items():
        ours, fast, peer = (statistics.median(row[name]) for name in ("ours", "folded", "diamond"))
        numbers = f"{ours:.1f} | {fast:.1f} | {1000 / fast:.0f} | {peer:.1f} | {fast / peer:.2f}"
        lines.append(f"| {setting} | {numbers} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
