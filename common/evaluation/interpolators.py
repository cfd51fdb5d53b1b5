"""Interpolators compared on triplets of frames: their scores by how far things move, and how far one can follow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from common.data.triplets import Triplets
from common.evaluation.interpolation import motion_size, picture_scores, terciles

Between = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
TITLES = {"psnr": ("PSNR (dB)", 2), "ssim": ("SSIM", 3)}  # and how many digits are shown


@dataclass(frozen=True)
class MethodScores:
    """Scores of several methods on the same triplets.

    Attributes:
        moved: `(N,)`, pixels: how far things move from first to last (`motion_size`).
        scores: method to "psnr" (dB) and "ssim", `(N,)` each.
    """

    moved: torch.Tensor
    scores: dict[str, dict[str, torch.Tensor]]

    def table(self) -> str:
        """Means over all triplets and over the thirds with small, middle and large motion, one method per column."""
        third = terciles(self.moved)
        groups = {"all": third >= 0, "small motion": third == 0, "middle": third == 1, "large": third == 2}
        lines = []
        for measure, (title, digits) in TITLES.items():
            lines.append(f"{title:16}" + "".join(f"{method:>14}" for method in self.scores))
            for name, members in groups.items():
                line = "".join(f"{found[measure][members].mean():14.{digits}f}" for found in self.scores.values())
                lines.append(f"{name:16}{line}   up to {self.moved[members].max():.1f} px")
            lines.append("")
        return "\n".join(lines)


@torch.no_grad()
def score_methods(
    methods: Mapping[str, Between],
    triplets: Triplets,
    flow: Between,
    *,
    batch_size: int = 8,
    watch: Callable[[Iterable], Iterable] = iter,
) -> MethodScores:
    """PSNR and SSIM of each method on each triplet.

    Args:
        methods: name to a function of two batches `(B, 3, H, W)` that gives the pictures midway.
        triplets: whose middle frames are the truth.
        flow: two batches to the flow between them; it measures how far things move.
        batch_size: triplets at a time.
        watch: wraps the loop over batches, as a progress bar does.
    """
    moved, scores = [], {method: {measure: [] for measure in TITLES} for method in methods}
    for start in watch(range(0, len(triplets), batch_size)):
        first, middle, last = triplets.pictures(slice(start, start + batch_size))
        moved.append(motion_size(first, middle, last, flow))
        for method, between in methods.items():
            for measure, values in picture_scores(between(first, last), middle).items():
                scores[method][measure].append(values)
    whole = {method: {measure: torch.cat(v) for measure, v in found.items()} for method, found in scores.items()}
    return MethodScores(torch.cat(moved), whole)


@torch.no_grad()
def reach(between: Between, picture: torch.Tensor, distances: Sequence[int], size: tuple[int, int]) -> list[float]:
    """How well a method follows one picture that slides as a whole: PSNR in dB for each distance.

    Args:
        between: two batches of pictures to the ones midway.
        picture: `(1, C, H, W)` in [-1, 1]; windows of it are what is seen.
        distances: pixels that the picture slides to the left, first to last; even numbers.
        size: rows and columns of the window. All of it is inside the picture.

    Raises:
        ValueError: a distance is odd, or the picture is too small for it.
    """
    (height, width), (rows, columns), found = picture.shape[-2:], size, []
    top, left = (height - rows) // 2, (width - columns) // 2
    for distance in distances:
        half = distance // 2
        if distance % 2 or half > left or top < 0:
            raise ValueError(f"a window {size} of a picture {height, width} slides by an even number, not {distance}")
        moments = [picture[..., top : top + rows, left + k * half : left + k * half + columns] for k in (-1, 0, 1)]
        margin = max(distances) // 2 + 2  # what is nearer to the border may have left one of the pictures
        inner = (..., slice(margin, -margin))
        made = between(moments[0], moments[2])
        found.append(picture_scores(made[inner], moments[1][inner])["psnr"].item())
    return found


@torch.no_grad()
def lead_over_mean(between: Between, first: torch.Tensor, middle: torch.Tensor, last: torch.Tensor) -> float:
    """How far a method is above the mean of both pictures, in dB of PSNR, on average over the pictures.

    Args:
        between: two batches of pictures to the ones midway.
        first, middle, last: `(B, C, H, W)` in [-1, 1]; `middle` is the truth.
    """
    made, mean = (picture_scores(preds, middle)["psnr"] for preds in (between(first, last), (first + last) / 2))
    return (made - mean).mean().item()
