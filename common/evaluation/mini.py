"""The score of the `mini` world: a clip is right if its one object has the colour and the motion asked for."""

from collections.abc import Callable, Sequence

import torch

from common.data.sprites.attributes import SceneWords
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.share import Share
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


@torch.no_grad()
def decode_and_read(
    latents: torch.Tensor,
    captions: Sequence[str],
    statistics,
    decode: Callable[[torch.Tensor], torch.Tensor],
    batch_size: int = 24,
) -> Share:
    """How many of the generated clips show what was asked for: the score of a latent diffusion model, read in pixels.

    The latents are denormalized, decoded in pieces, clamped to [-1, 1], and read by `mini_agreement(captions, clips)`,
    which gives a dictionary per clip. A clip counts if its `"right"` is true. No gradient is kept.

    Args:
        latents: `(B, C, T', H', W')` as a diffusion model gives them, normalized.
        captions: B of them, what was asked for.
        statistics: the `LatentStatistics` with which the latents were normalized.
        decode: raw latents to clips `(b, 3, T, H, W)`, not clamped. A decoder is the hungriest part of the pipeline, so
            it is called with at most `batch_size` samples at a time, in order.
        batch_size: as above, at least 1.

    Returns:
        How many of the B clips are right.

    Raises:
        ValueError: there are not as many captions as latents, or there are none.
    """
    if len(captions) != len(latents) or not len(latents):
        raise ValueError(f"{len(captions)} captions for {len(latents)} latents")
    right = 0
    for start in range(0, len(latents), batch_size):
        piece = slice(start, start + batch_size)
        clips = decode(statistics.denormalize(latents[piece])).clamp(-1, 1)
        right += sum(row["right"] for row in mini_agreement(captions[piece], clips))
    return Share(right, len(latents))
