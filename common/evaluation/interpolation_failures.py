"""The worst squares that an interpolator makes, each with its likely cause: occlusion, large motion or repetition."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from common.data.triplets import Triplets
from common.flow import warp

Between = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BESIDE = [(d, 0) for d in (5, 7, 9, 11)] + [(0, d) for d in (5, 7, 9, 11)]  # pixels to the side or down
USUAL = {"occlusion": 0.35, "large motion": 12.0, "repetition": 0.5}  # a sign of this size is strong
LOST = 1.5  # pixels that a flow there and back may miss its start by


@dataclass(frozen=True)
class Failure:
    """One square that came out badly.

    Attributes:
        index: of the triplet.
        top, left: of the square, pixels.
        error: mean squared error in it.
        motion: pixels, first to last, on average.
        hidden: fraction that one of the two frames alone shows.
        likeness: how much the square is like itself a few pixels further, 1 at most; 0 or less where it is not.
    """

    index: int
    top: int
    left: int
    error: float
    motion: float
    hidden: float
    likeness: float

    @property
    def cause(self) -> str:
        """The sign that stands out most."""
        signs = {"occlusion": self.hidden, "large motion": self.motion, "repetition": self.likeness}
        return max(signs, key=lambda name: signs[name] / USUAL[name])

    def __str__(self) -> str:
        likeness = max(self.likeness, 0)
        return f"motion {self.motion:5.1f} px, hidden {self.hidden:4.0%}, like itself {likeness:4.0%}: {self.cause}"

    def crop(self, picture: torch.Tensor, size: int = 48) -> torch.Tensor:
        """The square and what is around it, `size` pixels of each side at most, from a picture `(..., H, W)`."""
        height, width = picture.shape[-2:]
        top, left = (max(0, min(at - size // 4, side - size)) for at, side in ((self.top, height), (self.left, width)))
        return picture[..., top : top + size, left : left + size]


@torch.no_grad()
def worst_squares(
    between: Between, triplets: Triplets, flow: Between, *, side: int = 24, count: int = 3, every: int = 1
) -> list[Failure]:
    """The squares with the largest errors, worst first, at most one from each moment (8 frames) of a shot.

    Args:
        between: the interpolator, two batches of pictures to the ones midway.
        triplets: with the true middles; the signs are measured with them.
        flow: two batches to the flow between them.
        side: of the squares, which overlap by half.
        count: how many are wanted.
        every: only each such triplet is looked at.
    """
    worst = []
    for index in range(0, len(triplets), every):
        signs = square_signs(between, *triplets.pictures([index]), flow, side)  # (4, rows, columns)
        row, column = divmod(int(signs[0].argmax()), signs.shape[-1])
        worst.append(Failure(index, row * side // 2, column * side // 2, *signs[:, row, column].tolist()))
    worst.sort(key=lambda failure: failure.error, reverse=True)
    chosen: dict[tuple[str, int], Failure] = {}
    for failure in worst:
        chosen.setdefault((triplets.names[failure.index], triplets.frames[failure.index] // 8), failure)
    return list(chosen.values())[:count]


def square_signs(between: Between, first, middle, last, flow: Between, side: int) -> torch.Tensor:
    """Error, motion, hidden part and likeness to itself of every square of one triplet, `(4, rows, columns)`."""
    ways = [(flow(middle, end), flow(end, middle)) for end in (first, last)]
    motion = torch.stack([there.norm(dim=1, keepdim=True) for there, _ in ways]).sum(dim=0)
    lost = [(there + warp(back, there)).norm(dim=1, keepdim=True) > LOST for there, back in ways]
    hidden = (lost[0] ^ lost[1]).float()  # seen from one side; lost on both, it moved too far
    error = (between(first, last) - middle).square().mean(dim=1, keepdim=True)
    squares = _squares(torch.cat([error, motion, hidden], dim=1), side)
    smooth = F.avg_pool2d(middle, 9, 1, 4, count_include_pad=False)
    texture = _squares((middle - smooth).abs().mean(dim=1, keepdim=True), side)
    shifted = [(middle - middle.roll((dy, dx), dims=(2, 3))).abs().mean(dim=1, keepdim=True) for dx, dy in BESIDE]
    likeness = 1 - _squares(torch.cat(shifted, dim=1), side) / (2 * texture + 0.02)
    return torch.cat([squares, likeness.amax(dim=0, keepdim=True)])


def _squares(maps: torch.Tensor, side: int) -> torch.Tensor:
    """Means over squares that overlap by half, `(C, rows, columns)` from `(1, C, H, W)`."""
    return F.avg_pool2d(maps, side, side // 2)[0]
