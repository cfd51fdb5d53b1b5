"""Motion by motion: how many clips of the `mini` world show the motion that they were asked for, at any frame rate."""

from collections.abc import Sequence

import torch

from common.data.mini import MOTIONS
from common.data.sprites import parse
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.share import Share
from common.evaluation.sprite_reader import agreement, read_sprites


def motion_shares(captions: Sequence[str], clips: torch.Tensor, fps: float = SOLO_FPS) -> dict[str, Share]:
    """For each motion, and for "all": the share of the clips asked for with it that show it.

    Args:
        captions: B of the `mini` world.
        clips: `(B, 3, T, H, W)` in [-1, 1].
        fps: frames per second. Of clips whose frames 0, 4, 8, … were kept it is a quarter.

    Returns:
        Motion to share, those that were asked for alone, and "all" last.

    Raises:
        ValueError: there are not as many clips as captions, or none.
    """
    if len(captions) != len(clips) or not len(clips):
        raise ValueError(f"{len(captions)} captions for {len(clips)} clips")
    counts: dict[str, list[bool]] = {}
    for caption, reading in zip(captions, read_sprites(clips, fps=fps)):
        counts.setdefault(parse(caption).objects[0].motion, []).append(agreement(caption, reading)["motion"])
    found = {motion: counts[motion] for motion in MOTIONS if motion in counts}
    found["all"] = [shown for rows in found.values() for shown in rows]
    return {motion: Share(sum(rows), len(rows)) for motion, rows in found.items()}
