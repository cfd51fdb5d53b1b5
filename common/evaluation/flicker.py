"""Flicker of a coder: how much its error changes from frame to frame, and what sensor noise does to that."""

from collections.abc import Callable, Sequence

import torch
from einops import rearrange, repeat

from common.flow.warping import warp

NOISE_LEVELS = (0, 1, 3, 6)  # of 255, from a clean picture to a dim room


def change_of_error(
    preds: torch.Tensor,
    target: torch.Tensor,
    flow: torch.Tensor | None = None,
    visible: torch.Tensor | None = None,
    *,
    data_range: float = 2.0,
) -> torch.Tensor:
    """Change of error: the mean of |e(t + 1) - e(t)| along the flow, where e is `preds - target`, in levels of 255.

    It tells flicker from blur. A coder that draws an edge wrong in the same way in every frame has a large error and no
    change of it. Along the flow means: the error at a place in frame t is compared with the error in frame t + 1 at the
    place that the flow points to, `warp(error of frame t + 1, flow of pair t)`.

    Args:
        preds: what came back, `(B, C, T, H, W)`, float32 or float64, T at least 2.
        target: what it should be, the same shape and dtype.
        flow: the forward flow of each pair of frames, `(B, 2, T - 1, H, W)` in the same dtype, pixels per frame, x then
            y, as `common.flow.warp` takes it; None where nothing moves.
        visible: bool `(B, T - 1, H, W)`: the places that count, for those of frame t whose end can be seen in frame
            t + 1; None where all of them count. With or without a flow.
        data_range: largest minus smallest value that a pixel can have; 2 for clips in [-1, 1].

    Returns:
        `(B,)` in the dtype of `preds`: for each clip by itself, the mean over its channels and over the places that
        count in all its pairs of frames together. NaN for a clip in which no place counts.

    Raises:
        ValueError: the shapes of `preds` and `target` differ, or there are fewer than two frames.
    """
    if preds.shape != target.shape:
        raise ValueError(f"preds and target differ in shape: {tuple(preds.shape)} and {tuple(target.shape)}")
    if preds.shape[2] < 2:
        raise ValueError(f"a change takes at least two frames, got {preds.shape[2]}")
    error = (preds - target) * (255 / data_range)  # (B, C, T, H, W), levels
    now, after = error[:, :, :-1], error[:, :, 1:]
    if flow is not None:
        moved = warp(rearrange(after, "b c t h w -> (b t) c h w"), rearrange(flow, "b c t h w -> (b t) c h w"))
        after = rearrange(moved, "(b t) c h w -> b c t h w", b=len(error))
    change = (after - now).abs().mean(dim=1)  # (B, T - 1, H, W)
    if visible is None:
        return change.mean(dim=(1, 2, 3))
    return (change * visible).sum(dim=(1, 2, 3)) / visible.sum(dim=(1, 2, 3))


@torch.no_grad()
def noise_response(
    restore: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    noise: torch.Tensor,
    levels: Sequence[float] = NOISE_LEVELS,
) -> torch.Tensor:
    """Noise response: the change of error that sensor noise causes in still clips, one value per level of noise.

    Each image is repeated T times, which makes a still clip. The coder is given the still clip plus noise. Its error is
    that to the still clip without noise, so that a coder that takes the noise away is a good one.

    Args:
        restore: encodes and decodes clips: `(B, C, T, H, W)` to the same shape.
        images: `(B, C, H, W)` in [-1, 1], float32 or float64.
        noise: standard normal numbers `(B, C, T, H, W)` in the same dtype, T at least 2. All levels share them, and so
            should all coders that are compared.
        levels: the noise's standard deviation in levels of 255 (a pixel from -1 to 1 has 255 of them), one or more.

    Returns:
        `(L, B)` in the dtype of `images`, in levels of 255: one row per level, in their order. Nothing is clamped, and
        no gradient is kept.
    """
    stills = repeat(images, "b c h w -> b c t h w", t=noise.shape[2])
    rows = [change_of_error(restore(stills + noise * (2 * level / 255)), stills) for level in levels]
    return torch.stack(rows)
