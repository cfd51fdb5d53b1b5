"""Whatever is to be shown, as frames: uint8 RGB."""

import numpy as np
import torch
from PIL import Image

from common.video import clip_to_frames

NOT_A_NUMBER = (255, 0, 255)  # magenta: no film holds it, and no one overlooks it


def as_frames(clip) -> np.ndarray:
    """A clip or frames as `(T, H, W, 3)` uint8.

    Args:
        clip: a float tensor `(C, T, H, W)` in [-1, 1] (values outside are clamped; NaN and infinity become magenta), or
            uint8 frames `(T, H, W, C)`. One channel (shown grey) or three.

    Raises:
        ValueError: another shape or dtype, or nothing to show.
    """
    if isinstance(clip, torch.Tensor):
        return _frames_of_clip(clip)
    frames = np.asarray(clip)
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"frames are uint8 (T, H, W, C); these are {frames.dtype} {frames.shape}")
    return _with_three_channels(frames)


def spread(num_frames: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers, evenly from the first to the last."""
    return np.linspace(0, num_frames - 1, min(wanted, num_frames)).round().astype(int).tolist()


def scale(frame: np.ndarray, width: int) -> Image.Image:
    """One frame at another width, its aspect kept. A small frame that grows keeps its pixels visible, as squares."""
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    grows = width >= 2 * frame.shape[1]
    method = Image.Resampling.NEAREST if grows else Image.Resampling.LANCZOS
    return Image.fromarray(frame).resize((width, height), method)


def _frames_of_clip(clip: torch.Tensor) -> np.ndarray:
    if clip.ndim != 4:
        hint = " (of a batch, show one: clips[0])" if clip.ndim == 5 else ""
        raise ValueError(f"a clip is (C, T, H, W); this one has shape {tuple(clip.shape)}{hint}")
    if not clip.is_floating_point():
        raise ValueError(f"a clip holds floats in [-1, 1]; this one holds {clip.dtype}")
    clip = clip.detach().float().cpu()
    frames = _with_three_channels(clip_to_frames(clip.nan_to_num()))
    not_a_number = (~torch.isfinite(clip)).any(dim=0).numpy()  # (T, H, W)
    if not_a_number.any():
        frames[not_a_number] = NOT_A_NUMBER
    return frames


def _with_three_channels(frames: np.ndarray) -> np.ndarray:
    if frames.shape[-1] not in (1, 3) or 0 in frames.shape:
        raise ValueError(f"frames hold pixels of one or three channels; (T, H, W, C) is {frames.shape} here")
    return np.repeat(frames, 3, axis=-1) if frames.shape[-1] == 1 else frames
