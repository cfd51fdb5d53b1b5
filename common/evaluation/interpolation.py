"""How good a picture between two others is, and how far things moved: one number a picture for each."""

from collections.abc import Callable

import torch

from common.evaluation.image import psnr, ssim

LARGEST_PSNR = 60.0  # dB; rounding a picture to bytes costs 59 already


def picture_scores(preds: torch.Tensor, target: torch.Tensor, *, data_range: float = 2.0) -> dict[str, torch.Tensor]:
    """PSNR and SSIM of each picture by itself.

    Args:
        preds: `(B, C, H, W)`.
        target: the same shape.
        data_range: largest minus smallest value that a pixel can have; 2 for pictures in [-1, 1].

    Returns:
        "psnr" in dB and "ssim", `(B,)` each. The mean over pictures is the mean of decibels, as the benchmarks of
        interpolation report it. PSNR is counted up to `LARGEST_PSNR`: where nothing moved a picture may be right to
        the bit, and one infinite number would decide the mean.
    """
    pairs = list(zip(preds, target))
    return {
        "psnr": torch.stack([psnr(a, b, data_range=data_range) for a, b in pairs]).clamp(max=LARGEST_PSNR),
        "ssim": torch.stack([ssim(a, b, data_range=data_range) for a, b in pairs]),
    }


def motion_size(
    first: torch.Tensor,
    middle: torch.Tensor,
    last: torch.Tensor,
    flow: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """How far things move from the first picture to the last, on average over the pixels.

    The way leads over the true middle, which no interpolator is shown: two short flows are found more surely than one
    long one.

    Args:
        first: `(B, C, H, W)`.
        middle: the same shape, the truth between them.
        last: the same shape.
        flow: two batches of pictures to the flow between them, `(B, 2, H, W)` in pixels.

    Returns:
        `(B,)`, pixels: the mean length of the flow to the middle, and of that from there on, added.
    """
    there, on = (flow(a, b).norm(dim=1).mean(dim=(1, 2)) for a, b in ((first, middle), (middle, last)))
    return there + on


def terciles(values: torch.Tensor) -> torch.Tensor:
    """Which third each value belongs to, in rising order: 0, 1 or 2. The thirds differ in size by one at most.

    Args:
        values: `(N,)`, at least three. Equal values keep their order.

    Returns:
        int64 `(N,)`.

    Raises:
        ValueError: there are fewer than three values, or they are not on one axis.
    """
    if values.ndim != 1 or len(values) < 3:
        raise ValueError(f"thirds need at least three values (N,), got {tuple(values.shape)}")
    third = torch.empty(len(values), dtype=torch.int64)
    for k, members in enumerate(values.cpu().argsort(stable=True).tensor_split(3)):
        third[members] = k
    return third
