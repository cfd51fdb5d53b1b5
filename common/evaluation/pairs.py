"""The score of the world of pairs: does the small circle have the colour that the caption gives to it?"""

from collections.abc import Sequence

import torch

from common.data.mini.pairs import PairWords
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.sprite_reader import read_sprites


def pair_agreement(asked: Sequence[PairWords], pictures: torch.Tensor) -> list[dict[str, bool]]:
    """What each picture shows as it was asked to, read from its pixels.

    Args:
        asked: B captions' words.
        pictures: `(B, 3, 1, H, W)` in [-1, 1].

    Returns:
        For each picture `colors`: it shows two objects, in the two colours asked for; `right`: besides, the smaller of
        them has the colour asked for the small circle; `field`: the field has its colour.

    Raises:
        ValueError: there are not as many pictures as captions.
    """
    if len(asked) != len(pictures):
        raise ValueError(f"{len(asked)} pictures were asked for, {len(pictures)} are here")
    rows = []
    for words, reading in zip(asked, read_sprites(pictures, fps=SOLO_FPS)):
        radius = {item.color: float(item.radius[0]) for item in reading.objects}
        colors = len(reading.objects) == 2 and radius.keys() == {words.small, words.large}
        right = colors and radius[words.small] < radius[words.large]
        rows.append({"colors": colors, "right": right, "field": reading.background_color == words.field})
    return rows


def pair_accuracy(asked: Sequence[PairWords], pictures: torch.Tensor) -> dict[str, float]:
    """The part of the pictures for which each of `pair_agreement` holds, and `binding`; arguments as there.

    `binding` is the part of the pictures with the right colours that are right. Chance is 0.5; so it is where no
    picture has the right colours.

    Raises:
        ValueError: as `pair_agreement`, or there is no picture.
    """
    rows = pair_agreement(asked, pictures)
    if not rows:
        raise ValueError("no pictures to count")
    counts = {name: sum(row[name] for row in rows) for name in rows[0]}
    binding = counts["right"] / counts["colors"] if counts["colors"] else 0.5
    return {name: count / len(rows) for name, count in counts.items()} | {"binding": binding}
