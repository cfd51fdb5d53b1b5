"""Motion scores by optical flow: how fast things move in a clip, and which part of that is the camera.

`common.evaluation.motion_score` asks how much the *pixels* change. A black car on a black road changes none, a light
that is switched on changes all. The flow says how far things *go*; datasets for video models are filtered by it, and
Stable Video Diffusion gets it as its motion bucket.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange

NUM_FITTED = 1200  # pixels of a frame, about, that global motion is fitted to: a regular grid


def flow_score(flow: torch.Tensor, fps: float, *, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Motion score by optical flow: the mean length of the flow, in heights of the picture per second.

    For each pixel and pair of neighbouring frames the length `sqrt(u² + v²)` in pixels, the mean of it, times the
    frames per second, over H. So a clip keeps its score when it is scaled, and, as far as its motion is even, when
    frames are left out.

    Args:
        flow: `(2, T - 1, H, W)` or `(B, 2, T - 1, H, W)`, x then y, pixels per frame, as `clip_flow` gives it.
        fps: frames per second of the frames between which the flow was computed.
        valid: bool `(T - 1, H, W)` or `(B, T - 1, H, W)`, the pixels that count, or None for all. What the flow holds
            elsewhere, even if it is NaN, changes nothing. Flow across a cut is no motion: leave such pairs out.

    Returns:
        A scalar for one clip, `(B,)` for a batch, in float32 (float64 for a float64 flow).

    Raises:
        ValueError: the flow has another number of axes or is not x and y, `fps` is not above 0, `valid` does not fit,
            or a clip has no valid pixel.
    """
    demand_flow(flow)
    if not fps > 0:
        raise ValueError(f"fps must be above 0, got {fps}")
    length = flow.to(torch.promote_types(flow.dtype, torch.float32)).square().sum(dim=-4).sqrt()  # (..., T - 1, H, W)
    valid = torch.ones_like(length, dtype=torch.bool) if valid is None else valid
    if valid.shape != length.shape:
        raise ValueError(f"valid must be {tuple(length.shape)} for this flow, got {tuple(valid.shape)}")
    count = valid.sum(dim=(-3, -2, -1))
    if (count == 0).any():
        raise ValueError("a clip has no valid pixel: there is nothing to take the mean of")
    return torch.where(valid, length, 0).sum(dim=(-3, -2, -1)) / count * (fps / flow.shape[-2])


def global_motion(flow: torch.Tensor, num_iterations: int = 20) -> torch.Tensor:
    """Global motion estimation: for each pair of frames the affine flow that most of the picture follows.

    An affine flow is u = a + b x + c y, and likewise v: a shift, a zoom, a turn, a shear. It is fitted by iteratively
    reweighted least squares to the least absolute differences, so that objects on less than half of the picture do not
    bend it. It is the motion of a camera that pans, tilts, rolls or zooms, or that moves past a flat scene. Past things
    at several depths the flow of a moving camera is not affine.

    Args:
        flow: `(2, T - 1, H, W)` or `(B, 2, T - 1, H, W)`.
        num_iterations: of the fit.

    Returns:
        The affine flow at every pixel, of the shape of `flow`; what is left, `flow - global_motion(flow)`, is how
        objects move.

    Raises:
        ValueError: the flow has another number of axes or is not x and y.
    """
    demand_flow(flow)
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    terms = torch.stack([torch.ones_like(x), x, y], dim=-1).to(flow)  # (H, W, 3)
    step = math.ceil((height * width / NUM_FITTED) ** 0.5)
    known = rearrange(terms[::step, ::step], "h w k -> (h w) k")  # (N, 3)
    points = rearrange(flow[..., ::step, ::step], "... d t h w -> ... t (h w) d")
    weights, affine = torch.ones_like(points[..., :1]), torch.zeros(())
    for _ in range(num_iterations):
        weighted = (weights * known).mT  # (..., T - 1, 3, N)
        affine = torch.linalg.solve(weighted @ known, weighted @ points)  # (..., T - 1, 3, 2)
        weights = 1 / ((points - known @ affine).norm(dim=-1, keepdim=True) + 1e-3)  # pixels
    return torch.einsum("h w k, ... t k d -> ... d t h w", terms, affine)


def clip_flow(clip: torch.Tensor, compute: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """The forward flow from each frame of a clip to the next.

    Args:
        clip: `(C, T, H, W)` in [-1, 1], at least two frames.
        compute: two batches of pictures `(B, C, H, W)` to the flow `(B, 2, H, W)`, such as `common.flow.dis`.

    Returns:
        `(2, T - 1, H, W)`, pixels per frame.

    Raises:
        ValueError: the clip has another number of axes, or one frame.
    """
    if clip.ndim != 4 or clip.shape[1] < 2:
        raise ValueError(f"a clip is (C, T, H, W) with at least 2 frames; this one has shape {tuple(clip.shape)}")
    frames = rearrange(clip, "c t h w -> t c h w")
    return rearrange(compute(frames[:-1], frames[1:]), "t d h w -> d t h w")


def within_shots(num_frames: int, cuts: tuple[int, ...] | list[int]) -> torch.Tensor:
    """Which pairs of neighbouring frames are of one shot, bool `(num_frames - 1,)`.

    Args:
        num_frames: T.
        cuts: frames, counted from 0, with which a new shot begins.
    """
    inside = torch.ones(num_frames - 1, dtype=torch.bool)
    inside[[cut - 1 for cut in cuts]] = False
    return inside


def demand_flow(flow: torch.Tensor) -> None:
    """Check the shape of the flow of a clip or a batch.

    Raises:
        ValueError: it is another one.
    """
    if flow.ndim not in (4, 5) or flow.shape[-4] != 2:
        raise ValueError(f"the flow of a clip is (2, T - 1, H, W) or (B, 2, T - 1, H, W), got {tuple(flow.shape)}")
