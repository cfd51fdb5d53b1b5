"""What changes from frame to frame: how much a clip moves, and how much it flickers."""

import torch


def motion_score(clip: torch.Tensor, *, data_range: float = 2.0, fps: float | None = None) -> torch.Tensor:
    """How much a clip changes from one frame to the next, as a fraction of the largest change there could be.

    The score is the mean of `|clip[t + 1] - clip[t]|` over channels, pixels and all pairs of neighbouring frames,
    divided by `data_range`. A still clip scores 0; a clip that jumps between black and white scores 1.

    The score of one and the same scene grows with the time between its frames. With `fps` given it is the change per
    second instead (the score times the frames in a second), so that clips of different rates can stand side by side.

    Args:
        clip: `(C, T, H, W)` or `(B, C, T, H, W)`, at least two frames.
        data_range: largest value minus smallest value that a pixel can have; 2 for clips in [-1, 1].
        fps: frames per second of the clip as it is given, or None for the score per frame.

    Returns:
        A scalar for one clip, `(B,)` for a batch, in float32 (float64 for a float64 clip).

    Raises:
        ValueError: the clip has another number of axes, has fewer than two frames, or `data_range` or `fps` is not
            above 0.
    """
    if clip.ndim not in (4, 5):
        raise ValueError(f"a clip is (C, T, H, W) or (B, C, T, H, W); this one has shape {tuple(clip.shape)}")
    if clip.shape[-3] < 2:
        raise ValueError(f"motion lies between frames: at least 2 are needed, this clip has {clip.shape[-3]}")
    if data_range <= 0 or (fps is not None and fps <= 0):
        raise ValueError(f"data_range and fps must be above 0, got data_range={data_range}, fps={fps}")

    pixels = clip.to(torch.promote_types(clip.dtype, torch.float32))  # uint8 would wrap around below zero
    change = (pixels[..., 1:, :, :] - pixels[..., :-1, :, :]).abs()  # (..., C, T-1, H, W)
    score = change.mean(dim=(-4, -3, -2, -1)) / data_range  # () or (B,)
    return score if fps is None else score * fps


def flicker(clip: torch.Tensor, *, data_range: float = 2.0) -> torch.Tensor:
    """How much a clip trembles: the part of each frame that steady change does not explain.

    The score is the mean of `|clip[t] - (clip[t - 1] + clip[t + 1]) / 2|`, divided by `data_range`: how far each frame
    lies from the middle of its two neighbours. A still clip and an even fade score 0, however fast the fade; frames
    that alternate between black and white score 1. Where an edge passes a pixel, real motion scores too: compare clips
    of one scene.

    Args:
        clip: `(C, T, H, W)` or `(B, C, T, H, W)`, at least three frames.
        data_range: largest value minus smallest value that a pixel can have; 2 for clips in [-1, 1].

    Returns:
        A scalar for one clip, `(B,)` for a batch, in float32 (float64 for a float64 clip).

    Raises:
        ValueError: the clip has another number of axes, has fewer than three frames, or `data_range` is not above 0.
    """
    if clip.ndim not in (4, 5):
        raise ValueError(f"a clip is (C, T, H, W) or (B, C, T, H, W); this one has shape {tuple(clip.shape)}")
    if clip.shape[-3] < 3:
        raise ValueError(f"flicker needs both neighbours of a frame: at least 3 frames, this clip has {clip.shape[-3]}")
    if data_range <= 0:
        raise ValueError(f"data_range must be above 0, got {data_range}")

    pixels = clip.to(torch.promote_types(clip.dtype, torch.float32))
    before, now, after = pixels[..., :-2, :, :], pixels[..., 1:-1, :, :], pixels[..., 2:, :, :]
    tremble = (now - (before + after) / 2).abs()  # (..., C, T-2, H, W)
    return tremble.mean(dim=(-4, -3, -2, -1)) / data_range  # () or (B,)
