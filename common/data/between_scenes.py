"""Scenes whose picture midway is known exactly: what one side hides, and a fence that no one can see moving."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from common.data.flow_scenes import Motion, flow_scene


@dataclass(frozen=True)
class BetweenScene:
    """Three pictures, the exact flows that start midway, and what each end shows of the picture midway.

    Attributes:
        first, middle, last: `(1, 3, H, W)` in [-1, 1].
        to_first, to_last: `(1, 2, H, W)`, x then y, pixels: from the middle to either end.
        visible_first, visible_last: bool `(1, 1, H, W)`: pixels of the middle that this end shows too.
    """

    first: torch.Tensor
    middle: torch.Tensor
    last: torch.Tensor
    to_first: torch.Tensor
    to_last: torch.Tensor
    visible_first: torch.Tensor
    visible_last: torch.Tensor


def disc_before_plane(
    height: int = 72, width: int = 108, *, plane: float = 3.0, disc: float = -14.0, radius: float = 18.0, seed: int = 5
) -> BetweenScene:
    """A textured disc that slides in front of a textured plane: an occlusion on either side.

    Args:
        height, width: of the pictures.
        plane: pixels to the right that the plane moves from first to last.
        disc: the same of the disc, which begins in the middle of the picture.
        radius: of the disc, pixels.
        seed: of the textures.
    """
    whole, half = (
        flow_scene(
            height,
            width,
            Motion(shift=(part * plane, 0.0)),
            disc=Motion(shift=(part * disc, 0.0)),
            radius=radius,
            generator=torch.Generator().manual_seed(seed),
        )
        for part in (1.0, 0.5)
    )
    y, x = torch.meshgrid(torch.arange(height) * 1.0, torch.arange(width) * 1.0, indexing="ij")

    def covered(x, moved):
        return torch.hypot(x - (width - 1) / 2 - moved, y - (height - 1) / 2) <= radius

    front = covered(x, disc / 2)  # where the disc is midway
    to_last = torch.stack([torch.where(front, disc / 2, plane / 2), torch.zeros_like(x)])[None]
    visible_first = front | ~covered(x - plane / 2, 0.0)  # the plane, unless the disc covers its place in the first
    visible_last = front | ~covered(x + plane / 2, disc)
    masks = visible_first[None, None], visible_last[None, None]
    return BetweenScene(whole.first, half.second, whole.second, -to_last, to_last, *masks)


def sliding_fence(
    shift: float, *, period: float = 8.0, height: int = 48, width: int = 96
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """First, middle and last picture of stakes that slide to the right, `(1, 3, H, W)` each, in [-1, 1].

    A shift by the period leaves every pixel as it was: the motion is in no picture.

    Args:
        shift: pixels, first to last.
        period: of the stakes, pixels.
        height, width: of the pictures.
    """
    y, x = torch.meshgrid(torch.arange(height) * 1.0, torch.arange(width) * 1.0, indexing="ij")
    colour = torch.tensor([0.7, 0.5, 0.1]).reshape(3, 1, 1)

    def picture(moved):
        stake = torch.sigmoid(3 * (torch.cos(2 * math.pi * (x - moved) / period) - 0.2)) * (y > 6)
        return (colour * (2 * stake - 1))[None]

    return picture(0.0), picture(shift / 2), picture(shift)


def sliding_textures(
    count: int, size: int = 32, *, largest: int = 4, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """First, middle and last picture of textures that slide evenly, `(count, 3, size, size)` each, in [-1, 1].

    Args:
        count: how many.
        size: of the pictures, pixels, a multiple of 4.
        largest: whole pixels along x and along y that a texture slides at most, from first to middle.
        generator: draws the textures and the motions.
    """
    side = size + 4 * largest
    canvas = torch.rand(count, 3, side // 4, side // 4, generator=generator) * 2 - 1
    canvas = F.interpolate(canvas, scale_factor=4, mode="bicubic").clamp(-1, 1)
    pans = torch.randint(-largest, largest + 1, (count, 2), generator=generator).tolist()
    begin = 2 * largest

    def moment(k):
        corners = [(begin + k * dy, begin + k * dx) for dy, dx in pans]
        return torch.stack([c[:, y : y + size, x : x + size] for c, (y, x) in zip(canvas, corners)])

    return moment(-1), moment(0), moment(1)
