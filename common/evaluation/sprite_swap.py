"""Whether a swap did what it says: does the clip show what one clip shows, and move as another one moves?"""

from collections.abc import Sequence

import numpy as np
import torch

from common.data.sprites.attributes import FPS, SpriteScene
from common.data.sprites.paths import picture_path
from common.data.sprites.solo import EVERY, SOLO_FPS, draw, recombine
from common.evaluation.reconstruction import clip_psnr
from common.evaluation.sprite_reader import agreement, read_sprites

CONTENT = ("shape", "color", "background", "background_color")


def swap_scores(
    swapped: torch.Tensor, content: Sequence[SpriteScene], motion: Sequence[SpriteScene]
) -> dict[str, float]:
    """Compare swapped clips with the scenes that they are made of.

    Args:
        swapped: `(B, 3, T, H, W)` in [-1, 1], at `SOLO_FPS`.
        content: B scenes of one object and a still camera: what each clip should show.
        motion: B of them: how it should move.

    Returns:
        The part of the clips in which the reader finds `shape`, `color`, `background` and `background_color` of the
        first scene; `content`: all of these, and one object; `motion` of the second; `both`: all of it. `psnr`, dB,
        against the true swap, drawn by the world. `off`: the median distance, over frames and clips in which it was
        found, from where the object should be, in heights of the picture.

    Raises:
        ValueError: there are not as many scenes as clips.
    """
    if not len(swapped) == len(content) == len(motion):
        raise ValueError(f"{len(swapped)} clips, {len(content)} scenes of content, {len(motion)} of motion")
    scenes = [recombine(one, other) for one, other in zip(content, motion)]
    num_frames, size = swapped.shape[2], swapped.shape[-1]
    rows, distances = [], []
    for scene, reading in zip(scenes, read_sprites(swapped, fps=SOLO_FPS)):
        row = agreement(scene.words, reading)
        row["content"] = row["num_objects"] and all(row[name] for name in CONTENT)
        row["both"] = row["content"] and row["motion"]
        rows.append(row)
        if reading.objects:
            distances.append(_distances(scene, reading.objects[0].positions / size))
    found = {name: sum(row[name] for row in rows) / len(rows) for name in (*CONTENT, "content", "motion", "both")}
    truth = draw(scenes, num_frames, size).clips()
    found["psnr"] = clip_psnr(swapped, truth, data_range=2).mean().item()
    found["off"] = float(np.nanmedian(np.concatenate(distances))) if distances else float("nan")
    return found


def motion_words(clips: torch.Tensor) -> list[str | None]:
    """The word for the motion of the first object that the reader finds in each clip; None where it has none."""
    readings = read_sprites(clips, fps=SOLO_FPS)
    return [reading.objects[0].motion if reading.objects else None for reading in readings]


def _distances(scene: SpriteScene, positions: np.ndarray) -> np.ndarray:
    """Of places `(T, 2)`, in heights, from the path of the scene's object: `(T,)`."""
    times = EVERY / FPS * np.arange(len(positions))
    x, y, _ = picture_path(scene, scene.objects[0], times)
    return np.hypot(positions[:, 0] - x, positions[:, 1] - y)
