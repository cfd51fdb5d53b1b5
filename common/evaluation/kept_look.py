"""How long a clip still shows what its first picture shows: read frame by frame, against the frame's number."""

import numpy as np
import torch
from einops import rearrange

from common.evaluation.sprite_reader import read_sprites

LOOKS = ("shape", "color", "background", "background_color")


def kept_look(pictures: torch.Tensor, clips: torch.Tensor) -> dict[str, torch.Tensor]:
    """In which frames the reader of the sprites' world reads the same words as in a picture.

    Each frame is read alone, as a clip of one frame. Where a word cannot be read, in the picture or in the frame, it is
    not the same.

    Args:
        pictures: `(B, 3, H, W)` in [-1, 1], of one object each.
        clips: `(B, 3, T, H, W)` in [-1, 1].

    Returns:
        For each of `LOOKS`, and for "all" of them together, bool `(B, T)`.

    Raises:
        ValueError: there are not as many pictures as clips.
    """
    if len(pictures) != len(clips):
        raise ValueError(f"{len(pictures)} pictures for {len(clips)} clips")
    frames = read_sprites(rearrange(clips, "b c t h w -> (b t) c 1 h w"))
    found = [[_words(reading) for reading in frames[start :: clips.shape[2]]] for start in range(clips.shape[2])]
    kept = {}
    for k, name in enumerate(LOOKS):
        due = [_words(reading)[k] for reading in read_sprites(pictures[:, :, None])]
        kept[name] = torch.tensor([[w[k] == word is not None for w, word in zip(row, due)] for row in found]).T
    return kept | {"all": torch.stack(list(kept.values())).all(dim=0)}


def pixels_per_frame(clips: torch.Tensor) -> torch.Tensor:
    """How far the first object moves from frame to frame, `(B,)`: the median, in pixels; NaN where none is read."""
    moved = []
    for reading in read_sprites(clips):
        places = reading.objects[0].positions if reading.objects else np.zeros((0, 2))
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        moved.append(float(np.median(steps[np.isfinite(steps)])) if np.isfinite(steps).any() else float("nan"))
    return torch.tensor(moved)


def _words(reading) -> tuple:
    """The words of `LOOKS`, of the first object that was found."""
    item = reading.objects[0] if reading.objects else None
    return getattr(item, "shape", None), getattr(item, "color", None), reading.background, reading.background_color
