"""The score of the `mini` world: a clip is right if its one object has the colour and the motion asked for."""

from collections.abc import Sequence

import torch

from common.data.sprites.attributes import SceneWords
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.sprite_reader import agreement, read_sprites

ATTRIBUTES = ("color", "motion", "size", "background_color", "num_objects")


def mini_agreement(asked: Sequence[SceneWords | str], clips: torch.Tensor) -> list[dict[str, bool]]:
    """What each clip shows as it was asked to, read from its pixels.

    Args:
        asked: B captions, or the words of B scenes.
        clips: `(B, 3, T, H, W)` in [-1, 1], four frames a second.

    Returns:
        For each clip the attributes `color`, `motion`, `size`, `background_color` and `num_objects`, and `right`: it
        shows one object, and both its colour and its motion are as asked. Its shape does not count.

    Raises:
        ValueError: there are not as many clips as captions, or a text is no caption.
    """
    if len(asked) != len(clips):
        raise ValueError(f"{len(asked)} clips were asked for, {len(clips)} are here")
    rows = []
    for words, reading in zip(asked, read_sprites(clips, fps=SOLO_FPS)):
        found = agreement(words, reading)
        right = found["num_objects"] and found["color"] and found["motion"]
        rows.append({name: found[name] for name in ATTRIBUTES} | {"right": right})
    return rows


def mini_accuracy(asked: Sequence[SceneWords | str], clips: torch.Tensor) -> dict[str, float]:
    """The part of the clips for which each attribute of `mini_agreement` is as asked; arguments as there.

    Raises:
        ValueError: as `mini_agreement`, or there is no clip.
    """
    rows = mini_agreement(asked, clips)
    if not rows:
        raise ValueError("no clips to count")
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
