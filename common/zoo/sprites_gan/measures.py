"""How good `sprites-gan` is: how much of the world it covers, whether its frames are pictures, whether things move.

The clips are made from latents that the setting's seed gives; they are held in [-1, 1] as they come.
"""

from collections.abc import Callable

import torch

from common.data.sprites.modes import ModeData
from common.evaluation.modes import clip_modes, mode_report
from common.evaluation.paths import object_paths, straightness
from common.evaluation.sprite_reader import read_sprites
from common.zoo.settings import pick_setting

# setting -> clips made, and clips of the data to compare with
SETTINGS = {"small": 192, "full": 960}
BATCH = 48


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `VideoGAN`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        `made/…`, of the generator's clips, and `data/…`, of as many clips of the world's split test, which is the most
        that can be expected: the measures of `clip_measures`. `reader/…`: how often the reader names the data's clips
        rightly at this size.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips = pick_setting(SETTINGS, setting)
    data = ModeData(model.config.num_frames, model.config.size, split="test")
    latents = torch.Generator().manual_seed(2026)
    report = progress or (lambda part: None)
    made = torch.cat([model.sample(BATCH, latents).cpu() for _ in range(0, num_clips, BATCH)])
    real = data.clips(range(num_clips))
    wanted = [data.mode(i) for i in range(num_clips, 2 * num_clips)]  # of other clips than those read
    found = {}
    for k, (name, clips) in enumerate({"made": made, "data": real}.items()):
        found |= {f"{name}/{measure}": value for measure, value in clip_measures(clips, wanted).items()}
        report((k + 1) / 2)
    readings = clip_modes(read_sprites(real, data.fps))
    shown = [data.mode(i) for i in range(num_clips)]
    for k, word in enumerate(("shape", "color", "motion")):
        right = [read is not None and read[k] == mode[k] for read, mode in zip(readings, shown)]
        found[f"reader/{word}"] = sum(right) / num_clips
    return found


def clip_measures(clips: torch.Tensor, modes: list[tuple[str, ...]], fps: float = ModeData.fps) -> dict[str, float]:
    """What clips of this corner of the world are worth, each measure from 0 up, and more is better.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1].
        modes: of the data: shape, colour, motion of each of its clips.
        fps: frames per second.

    Returns:
        `known`, `coverage`, `entropy`, `effective_modes` and `recall` of `mode_report`; `frames`: the part of single
        frames that show one object whose shape and colour can be read; `straightness`: the mean of that measure.
    """
    report = mode_report(clip_modes(read_sprites(clips, fps)), modes)
    chosen = torch.arange(len(clips)) % clips.shape[2]
    pictures = clips[torch.arange(len(clips)), :, chosen][:, :, None]  # (B, 3, 1, H, W)
    looks = {mode[:2] for mode in modes}
    pictured = [mode in looks for mode in clip_modes(read_sprites(pictures, fps), ("shape", "color"))]
    return {
        "known": report.known,
        "coverage": report.coverage,
        "entropy": report.entropy,
        "effective_modes": report.effective_modes,
        "recall": report.recall,
        "frames": sum(pictured) / len(clips),
        "straightness": float(straightness(object_paths(clips)).mean()),
    }
