"""Clips of any shape, drawn and read: the numbers of `sprites-t2v-shapes` and of lab 06.5."""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from common.data.buckets import Shape, num_tokens
from common.evaluation.sprite_reader import agreement, read_sprites
from common.layers.rope import axis_dims
from common.models.shaped_dit import ShapedVideoDiT
from common.zoo.sprites_t2v.prompts import evaluation_prompts
from common.zoo.sprites_t2v.recipe import pipeline

SQUARE: Shape = (17, 64, 64)
STEPS, BATCH = 10, 8
COUNTED = ("all", "size", "motion", "shape")
SHIFT = 4.0  # of the noise levels, for the square


def name_of(shape: Shape) -> str:
    """Such as "17x64x64"."""
    return "x".join(map(str, shape))


@torch.no_grad()
def count_right(
    model, shape: Shape, num_clips: int, shift: float = SHIFT, crop: bool = False, advance: Callable | None = None
) -> dict[str, list[int]]:
    """Of clips with one object the number in which an attribute is as asked, and how many there are.

    Args:
        model: a `VideoDiT`.
        shape: of the clips.
        num_clips: the first prompts of `one_object`, each with the noise of its number.
        shift: of the noise levels.
        crop: draw the square, cut out its middle and enlarge that to the shape.
        advance: called with the number of clips that are done.
    """
    pipe, found = pipeline(model), []
    prompts = evaluation_prompts("one_object")[:num_clips]
    for start in range(0, num_clips, BATCH):
        asked = prompts[start : start + BATCH]
        noise = [torch.Generator().manual_seed(start + k) for k in range(len(asked))]
        drawn = SQUARE if crop else shape
        clips = pipe(asked, None, *drawn, num_inference_steps=STEPS, shift=shift, generator=noise).frames
        found += rows(asked, cut_to(clips, shape) if crop else clips)
        if advance is not None:
            advance(len(asked))
    return {name: [sum(row[name] for row in found), len(found)] for name in COUNTED}


def rows(asked: Sequence[str], clips: torch.Tensor) -> list[dict[str, bool]]:
    """What agrees in each clip."""
    return [agreement(words, reading) for words, reading in zip(asked, read_sprites(clips.cpu()))]


def cut_to(clips: torch.Tensor, shape: Shape) -> torch.Tensor:
    """The middle of clips, as large as the aspect ratio of a shape allows, enlarged to it."""
    height, width = clips.shape[3:]
    aspect = shape[2] / shape[1]
    rows, columns = min(height, round(width / aspect)), min(width, round(height * aspect))
    top, left = (height - rows) // 2, (width - columns) // 2
    cut = clips[..., top : top + rows, left : left + columns]
    return F.interpolate(cut, (clips.shape[2], *shape[1:]), mode="trilinear", align_corners=False).clamp(-1, 1)


def shift_for(shape: Shape, shift: float = SHIFT) -> float:
    """The shift of noise levels by tokens: that of the square times the root of the ratio of tokens (SD3, eq. 23)."""
    return shift * (num_tokens(shape) / num_tokens(SQUARE)) ** 0.5


class ByAxis(ShapedVideoDiT):
    """Each axis scaled to the range of the trained square: a wide picture becomes a square that was stretched."""

    def rotation(self, grid, device=None):
        angles, base = [], self.config.base_rows
        head_dim = self.config.dim // self.config.num_heads
        for axis, (length, dim) in enumerate(zip(grid, axis_dims(head_dim))):
            speeds = self.config.rope_theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
            places = torch.arange(length, dtype=torch.float64)
            places = places if axis == 0 else (places + 0.5) * base / length - 0.5
            shape = [1, 1, 1, -1]
            shape[axis] = length
            angles.append((places[:, None] * speeds).reshape(shape).expand(*grid, -1))
        angle = torch.cat(angles, dim=-1).flatten(0, 2)
        return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)
