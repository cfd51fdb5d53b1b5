"""Clips of any shape, drawn and read: the numbers of `sprites-t2v-shapes` and of lab 06.5."""

from collections.abc import Callable, Sequence

import torch

from common.data.buckets import Shape, num_tokens
from common.evaluation.sprite_reader import agreement, read_sprites
from common.layers.rope import axis_dims
from common.models.shaped_dit import ShapedVideoDiT
from common.zoo.sprites_t2v.prompts import evaluation_prompts
from common.zoo.sprites_t2v.recipe import pipeline

SQUARE: Shape = (17, 64, 64)
STEPS, BATCH = 10, 8
WAYS = ("axis", "area", "frames")
COUNTED = ("all", "size", "motion", "shape")
SHIFT = 4.0  # of the noise levels, for the square


def name_of(shape: Shape) -> str:
    """Such as "17x64x64"."""
    return "x".join(map(str, shape))


@torch.no_grad()
def count_right(
    model, shape: Shape, num_clips: int, shift: float = SHIFT, advance: Callable | None = None
) -> dict[str, list[int]]:
    """Of clips with one object the number in which an attribute is as asked, and how many there are.

    Args:
        model: a `VideoDiT`.
        shape: of the clips.
        num_clips: the first prompts of `one_object`, each with the noise of its number.
        shift: of the noise levels.
        advance: called with the number of clips that are done.
    """
    pipe, found = pipeline(model), []
    prompts = evaluation_prompts("one_object")[:num_clips]
    for start in range(0, num_clips, BATCH):
        asked = prompts[start : start + BATCH]
        noise = [torch.Generator().manual_seed(start + k) for k in range(len(asked))]
        clips = pipe(asked, None, *shape, num_inference_steps=STEPS, shift=shift, generator=noise).frames
        found += rows(asked, clips)
        if advance is not None:
            advance(len(asked))
    return {name: [sum(row[name] for row in found), len(found)] for name in COUNTED}


def rows(asked: Sequence[str], clips: torch.Tensor) -> list[dict[str, bool]]:
    """What agrees in each clip."""
    return [agreement(words, reading) for words, reading in zip(asked, read_sprites(clips.cpu()))]


def shift_for(shape: Shape, shift: float = SHIFT) -> float:
    """The shift of noise levels by tokens: that of the square times the root of the ratio of tokens (SD3, eq. 23)."""
    return shift * (num_tokens(shape) / num_tokens(SQUARE)) ** 0.5


class OtherPlaces(ShapedVideoDiT):
    """A base whose places are scaled in another way, by `how`: one of `WAYS`.

    "axis": rows and columns each to the range of the trained square. "area": both by the root of the area. "frames": as
    the library does it, and the frames to the range of the trained clip.
    """

    how = "axis"

    def rotation(self, grid, device=None):
        head_dim = self.config.dim // self.config.num_heads
        angles = []
        for axis, (places, dim) in enumerate(zip(self.places(grid), axis_dims(head_dim))):
            speeds = self.config.rope_theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
            shape = [1, 1, 1, -1]
            shape[axis] = len(places)
            angles.append((places[:, None] * speeds).reshape(shape).expand(*grid, -1))
        angle = torch.cat(angles, dim=-1).flatten(0, 2)
        return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)

    def places(self, grid) -> list[torch.Tensor]:
        """Of frames, rows and columns."""
        base, (num_frames, height, width) = self.config.base_rows, grid
        scales = {"axis": (base / height, base / width), "area": (base / (height * width) ** 0.5,) * 2,
                  "frames": (base / height,) * 2}[self.how]  # fmt: skip
        frames, *sides = (torch.arange(length, dtype=torch.float64) for length in grid)
        if self.how == "frames" and num_frames > 1:
            frames = frames * (num_tokens((SQUARE[0], 16, 16)) - 1) / (num_frames - 1)
        middles = [(side + 0.5 - len(side) / 2) * scale for side, scale in zip(sides, scales)]
        return [frames, *(middle + (base - 1) / 2 for middle in middles)]
