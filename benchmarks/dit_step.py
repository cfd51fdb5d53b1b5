"""Seconds of one training step of the video transformer, beside diffusers' `WanTransformer3DModel`.

    python benchmarks/dit_step.py [--rounds 15] [--batch 16] [--threads 2] [--bf16]

Both have the same width, depth, heads, feed-forward width, patches, text and latents: those of the preset `cpu`, clips
of 17 frames at 64x64, that is 80 tokens. A step is forward, flow-matching loss, backward and AdamW. The two take turns,
and a round of both counts as one; the first two rounds warm up. Reported: medians by the clock and by the processor's
time, and the ratio, which is what is claimed: it should not be above 1. Two settings: one noise level a clip, and one
a latent frame (Wan takes one a token). The numbers go to benchmarks/results/dit_step.json.

Not the same: our text attention has a shift, scale and gate of its own, which Wan's has not, and takes a mask, which
Wan's does not (it attends to the padding); Wan normalises queries and keys by their root mean square over all heads, we
by layer norm in each. What a step achieves is not measured here.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel

from common.models.dit import PRESETS, VideoDiT

RESULTS = Path(__file__).resolve().parent / "results" / "dit_step.json"
LATENTS, TEXT = (16, 5, 8, 8), (20, 384)
WARM_UP = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true", help="autocast both to bfloat16")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    report = measure(arguments.rounds, arguments.batch, arguments.bf16)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


def build() -> dict[str, torch.nn.Module]:
    """Ours and theirs, of one size."""
    size = PRESETS["cpu"]
    ours = VideoDiT(**size)
    wan = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=size["num_heads"], ffn_dim=size["ffn_dim"], in_channels=16,
        attention_head_dim=size["dim"] // size["num_heads"], out_channels=16, text_dim=384, freq_dim=256,
        num_layers=size["num_layers"],
    )  # fmt: skip
    return {"ours": ours, "wan": wan}


def measure(rounds: int, batch: int, bf16: bool) -> dict:
    """Seconds of every step, by model, setting and clock."""
    torch.manual_seed(0)
    models = build()
    optimizers = {name: torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True) for name, model in models.items()}
    x0, eps, text = torch.randn(batch, *LATENTS), torch.randn(batch, *LATENTS), torch.randn(batch, *TEXT)
    mask = torch.arange(TEXT[0]) < torch.randint(12, TEXT[0] + 1, (batch, 1))
    report = {"machine": machine(), "batch": batch, "bf16": bf16, "seconds": {}}
    report["parameters"] = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    for done in range(rounds + WARM_UP):
        for setting, s in (("one level", torch.rand(batch, 1)), ("a level a frame", torch.rand(batch, LATENTS[1]))):
            noisy = x0 + s[:, None, :, None, None] * (eps - x0)
            level = 1000 * s
            per_token = level.repeat_interleave(16, dim=1)
            calls = {
                "ours": lambda: models["ours"](noisy, level if level.shape[1] > 1 else level[:, 0], text, mask).sample,  # noqa: B023
                "wan": lambda: models["wan"](noisy, per_token if level.shape[1] > 1 else level[:, 0], text).sample,  # noqa: B023
            }
            for name in sorted(calls, reverse=done % 2 == 1):  # who goes first alternates
                wall, cpu = time.perf_counter(), time.process_time()
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    velocity = calls[name]()
                (velocity.float() - (eps - x0)).square().mean().backward()
                optimizers[name].step()
                optimizers[name].zero_grad()
                if done >= WARM_UP:
                    row = report["seconds"].setdefault(setting, {}).setdefault(name, {"wall": [], "cpu": []})
                    row["wall"].append(round(time.perf_counter() - wall, 4))
                    row["cpu"].append(round(time.process_time() - cpu, 4))
    return report


def table(report: dict) -> str:
    """The medians, one line a setting."""
    machine = report["machine"]
    lines = [f"{machine['processor']}, {machine['threads']} threads, load {machine['load']}, batch {report['batch']}, "
             f"{'bf16' if report['bf16'] else 'fp32'}, parameters {report['parameters']}", ""]  # fmt: skip
    lines += ["| setting | clock | ours, s | Wan, s | ours / Wan |", "|---|---|---|---|---|"]
    for setting, row in report["seconds"].items():
        for clock in ("wall", "cpu"):
            ours, wan = (statistics.median(row[name][clock]) for name in ("ours", "wan"))
            lines.append(f"| {setting} | {clock} | {ours:.3f} | {wan:.3f} | {ours / wan:.2f} |")
    return "\n".join(lines)


def machine() -> dict:
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines()
             if line.startswith("model name")] if cpuinfo.exists() else []  # fmt: skip
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
