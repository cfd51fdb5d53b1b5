"""How often the reader of the sprites' world is right: on rendered clips, on spoilt ones, and on what a VAE gives back.

    python benchmarks/sprite_reader.py [--clips 1000] [--spoilt 100] [--weights sprites-vae]

Clips of all three splits, `--clips` of each as they are rendered and `--spoilt` of each in every other row. Beside it
stands the control: the same readings against captions of other clips, and how often two random captions agree. The
reader's speed is that of one core. The numbers go to benchmarks/results/sprite_reader.json, the tables are printed.

With weights, clips of the `test` and `held_out` splits go through the autoencoder's encoder and decoder (the latents'
mode) and are read as they come back. A folder of weights may be named, such as a training run leaves.
"""

import argparse
import io
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image
from sprites import machine

from common.data.sprites import SpriteData
from common.data.sprites.scenes import SPLITS
from common.evaluation.reconstruction import clip_psnr
from common.evaluation.sprite_reader import ATTRIBUTES, accuracy, chance_agreement, read_sprites
from common.zoo import has_weights, shelf

RESULTS = Path(__file__).resolve().parent / "results" / "sprite_reader.json"
BATCH = 20
BARS = {"rendered": 0.995, "vae": 0.99}
NUM_CHANCE = 700  # scenes of each split whose captions are compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1000, help="rendered clips of each split")
    parser.add_argument("--spoilt", type=int, default=100, help="clips of each split in every other row")
    parser.add_argument("--weights", help="a shipped name or a folder; without it sprites-vae, if it is there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights = arguments.weights or ("sprites-vae" if has_weights("sprites-vae") else None)
    report = {"machine": machine(), "clips": arguments.clips, "spoilt": arguments.spoilt}
    report |= measure(arguments.clips, arguments.spoilt, weights)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


def measure(num_clips: int, num_spoilt: int, weights: str | None) -> dict:
    """Every row, the control and the speed."""
    report, asked, found = {"rows": {}}, [], []
    for split in SPLITS:
        words, readings, row = read(SpriteData(split), num_clips)
        report["rows"][f"rendered, {split}"] = row
        asked, found = asked + words, found + readings
    for count in (1, 2):
        name = f"rendered, {count} object{'s' * (count > 1)}"
        report["rows"][name] = accuracy(asked, found, num_objects=count)
    report["control"] = control(asked, found)
    for size, num_frames in ((32, 17), (32, 5), (128, 17)):
        row = read_all(num_spoilt, size=size, num_frames=num_frames)
        report["rows"][f"rendered at {num_frames}x{size}x{size}"] = row
    for name, spoil in SPOILT.items():
        report["rows"][name] = read_all(num_spoilt, spoil)
    if weights:
        model = shelf.from_pretrained(weights)
        row = read_all(num_spoilt, lambda clips, _: round_trip(model, clips), splits=("test", "held_out"))
        report["rows"]["VAE round trip"] = row
        report["weights"] = Path(weights).name
    return report


def read(data: SpriteData, num_clips: int, spoil: Callable | None = None) -> tuple[list, list, dict]:
    """The words of the first clips, how they are read, and a row: accuracies, PSNR in dB, clips a second."""
    generator = torch.Generator().manual_seed(0)
    asked, found, psnr, seconds = [], [], [], 0.0
    for start in range(0, num_clips, BATCH):
        batch = data.batch(range(start, min(start + BATCH, num_clips)))
        clips = shown = batch.clips()
        if spoil:
            shown = spoil(clips, generator).clamp(-1, 1)
            psnr += clip_psnr(shown, clips, data_range=2).tolist()
        clock = time.process_time()
        found += read_sprites(shown)
        seconds += time.process_time() - clock
        asked += [scene.words for scene in batch.scenes]
    row = accuracy(asked, found) | {"clips": num_clips, "clips_per_second": num_clips / seconds}
    return asked, found, row | ({"psnr": float(np.mean(psnr))} if psnr else {})


def read_all(num_clips: int, spoil: Callable | None = None, splits=SPLITS, **size) -> dict:
    """One row of several splits together."""
    rows = [read(SpriteData(split, **size), num_clips, spoil)[2] for split in splits]
    row = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    return row | {"clips": num_clips * len(rows)}


def control(asked: list, found: list) -> dict:
    """Readings against the captions of other clips, beside how often two random captions agree."""
    rows = {}
    for count in (1, 2):
        kept = [k for k, words in enumerate(asked) if len(words.objects) == count]
        words, readings = [asked[k] for k in kept], [found[k] for k in kept]
        shuffled = [accuracy(words[turn:] + words[:turn], readings) for turn in range(1, 8)]
        rows[f"{count} shuffled"] = {name: sum(row[name] for row in shuffled) / len(shuffled) for name in ATTRIBUTES}
        chance = [chance_agreement(count, split=split, num_scenes=NUM_CHANCE) for split in SPLITS]
        rows[f"{count} chance"] = {name: sum(row[name] for row in chance) / len(chance) for name in ATTRIBUTES}
    return rows


# ------------------------------------------------------------------------------------------------ what spoils a clip


def blurred(clips: torch.Tensor, sigma: float) -> torch.Tensor:
    """Each frame mixed with a Gaussian of this standard deviation, pixels; the border repeats."""
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * sigma**2))
    weights = weights / weights.sum()
    frames = rearrange(clips, "b c t h w -> (b c t) 1 h w")
    frames = F.pad(frames, (reach,) * 4, mode="replicate")
    frames = F.conv2d(F.conv2d(frames, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
    return rearrange(frames, "(b c t) 1 h w -> b c t h w", b=len(clips), c=clips.shape[1])


def noisy(clips: torch.Tensor, std: float, generator: torch.Generator) -> torch.Tensor:
    return clips + std * torch.randn(clips.shape, generator=generator)


def blotchy(clips: torch.Tensor, std: float, generator: torch.Generator) -> torch.Tensor:
    """Noise of patches some pixels wide, other ones in every frame."""
    return clips + std * 2 * math.sqrt(math.pi) * 1.5 * blurred(torch.randn(clips.shape, generator=generator), 1.5)


def low_pass(clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Half the rows and columns and back, each frame mixed with its neighbours in time, and blotches."""
    frames = rearrange(clips, "b c t h w -> (b t) c h w")
    frames = F.interpolate(F.avg_pool2d(frames, 2), scale_factor=2, mode="bilinear")
    clips = rearrange(frames, "(b t) c h w -> b c t h w", b=len(clips))
    around = torch.cat([clips[:, :, :1], clips, clips[:, :, -1:]], dim=2)
    return blotchy((around[:, :, :-2] + 2 * clips + around[:, :, 2:]) / 4, 0.04, generator)


def jpeg(clips: torch.Tensor, quality: int) -> torch.Tensor:
    """Each frame through a JPEG file, colour at half the resolution."""
    back = []
    for frame in rearrange(((clips + 1) * 127.5).round().to(torch.uint8), "b c t h w -> (b t) h w c").numpy():
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=quality)
        back.append(np.asarray(Image.open(file)))
    frames = torch.from_numpy(np.stack(back)).float() / 127.5 - 1
    return rearrange(frames, "(b t) h w c -> b c t h w", b=len(clips))


def flickering(clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Every frame brighter or darker by its own amount in each channel, standard deviation 0.05; one frame is noise."""
    batch, channels, num_frames, height, width = clips.shape
    clips = clips + 0.05 * torch.randn(batch, channels, num_frames, 1, 1, generator=generator)
    for clip in clips:
        lost = int(torch.randint(1, num_frames, (), generator=generator))
        clip[:, lost] = torch.randn(channels, height, width, generator=generator)
    return clips


def round_trip(model, clips: torch.Tensor) -> torch.Tensor:
    """What an autoencoder gives back."""
    with torch.no_grad():
        return model.decode(model.encode(clips).latent_dist.mode()).sample


SPOILT = {
    **{f"blur, {sigma} px": lambda clips, _, sigma=sigma: blurred(clips, sigma) for sigma in (0.5, 1.0, 1.5, 2.0)},
    **{f"noise, {std}": lambda clips, g, std=std: noisy(clips, std, g) for std in (0.05, 0.1, 0.2, 0.3)},
    **{f"blotches, {std}": lambda clips, g, std=std: blotchy(clips, std, g) for std in (0.05, 0.1)},
    **{f"brighter by {by}": lambda clips, _, by=by: clips + by for by in (-0.2, -0.1, 0.1, 0.2)},
    **{f"contrast x {by}": lambda clips, _, by=by: clips * by for by in (0.7, 0.85, 1.2)},
    **{f"JPEG, quality {quality}": lambda clips, _, quality=quality: jpeg(clips, quality) for quality in (50, 20)},
    "flicker, a frame lost": flickering,
    "low-pass stand-in for a VAE": low_pass,
}


# ------------------------------------------------------------------------------------------------ the tables


def table(report: dict) -> str:
    """Percentages right; then the control; then what the bars ask for."""
    lines = [f"| % right | clips | PSNR | {' | '.join(ATTRIBUTES)} |", "|---" * (3 + len(ATTRIBUTES)) + "|"]
    for name, row in report["rows"].items():
        clips, psnr = row.get("clips", ""), f"{row['psnr']:.1f}" if "psnr" in row else ""
        lines.append(f"| {name} | {clips} | {psnr} | {percent(row)} |")
    lines += ["", f"| objects, % that agree | {' | '.join(ATTRIBUTES)} |", "|---" * (1 + len(ATTRIBUTES)) + "|"]
    lines += [f"| {name} | {percent(row)} |" for name, row in report["control"].items()]
    rows = report["rows"]
    worst = min(rows[f"rendered, {split}"][name] for split in SPLITS for name in ATTRIBUTES if name != "all")
    lines += ["", f"rendered: worst attribute of any split {100 * worst:.2f} %: {verdict(worst, BARS['rendered'])}"]
    if "VAE round trip" in rows:
        worst = min(rows["VAE round trip"][name] for name in ATTRIBUTES if name != "all")
        lines.append(f"VAE round trip: worst attribute {100 * worst:.2f} %: {verdict(worst, BARS['vae'])}")
    apart = max(abs(report["control"][f"{count} shuffled"][name] - report["control"][f"{count} chance"][name])
                for count in (1, 2) for name in ATTRIBUTES)  # fmt: skip
    lines.append(f"control: at most {100 * apart:.1f} points from chance (bar: 5)")
    speed = np.median([rows[f"rendered, {split}"]["clips_per_second"] for split in SPLITS])
    lines.append(f"speed: {speed:.0f} clips of 17x64x64 a second of one core's time")
    return "\n".join(lines)


def percent(row: dict) -> str:
    return " | ".join(f"{100 * row[name]:.1f}" for name in ATTRIBUTES)


def verdict(found: float, bar: float) -> str:
    return f"bar {100 * bar:.1f} % {'met' if found >= bar else 'MISSED'}"


if __name__ == "__main__":
    main()
