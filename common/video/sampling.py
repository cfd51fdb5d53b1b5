"""Which frames to take, and how frames become a clip: the exercises of lab 01.2."""

import numpy as np
import torch
from einops import rearrange

from common.video.reader import VideoReader


def even_indices(total: int, num_frames: int) -> list[int]:
    """Frame numbers spread evenly over a clip, its first and its last frame among them.

    Args:
        total: Number of frames in the clip, at least 1.
        num_frames: How many to take, at least 1. A single one is frame 0. More than `total` repeats frames.

    Returns:
        `num_frames` numbers from 0 to `total - 1`, never falling: the evenly spaced positions
        `linspace(0, total - 1, num_frames)`, each rounded to the nearest whole number (halves to the even one).

    Raises:
        ValueError: `total` or `num_frames` is below 1.
    """
    if total < 1:
        raise ValueError(f"total must be at least 1, got {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    positions = np.linspace(0, total - 1, num_frames)  # (N,)
    return positions.round().astype(int).tolist()


def fps_indices(timestamps, fps: float, num_frames: int, start: float = 0.0) -> list[int]:
    """Frame numbers at a uniform rate: for each moment, the frame that is on screen then.

    The moments are `start + k / fps` for k = 0, 1, ..., `num_frames - 1`. On screen is the last frame whose timestamp
    is not later than the moment, give or take a microsecond for rounding. Only timestamps count, so a clip whose
    frame rate varies is sampled at even times, and a rate above the clip's own repeats frames.

    The last frame stays as long as the one before it did, and a clip of one frame lasts `1 / fps`. A moment at or
    after that end is past the clip.

    Args:
        timestamps: Seconds at which each frame appears, rising from 0.0, at least one; a sequence or array (N,).
        fps: Frames to take for each second of the clip, above 0.
        num_frames: How many to take, at least 1.
        start: The first moment, in seconds, at least 0.

    Returns:
        `num_frames` frame numbers, never falling.

    Raises:
        ValueError: there are no timestamps, `fps` or `num_frames` or `start` is out of its range, or a moment lies past
            the end of the clip.
    """
    if len(timestamps) == 0:
        raise ValueError("timestamps are empty: a clip has at least one frame")
    if fps <= 0:
        raise ValueError(f"fps must be above 0, got {fps}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    if start < 0:
        raise ValueError(f"start must be at least 0 seconds, got {start}")
    timestamps = np.asarray(timestamps, dtype=np.float64)  # (N,)
    last_gap = timestamps[-1] - timestamps[-2] if len(timestamps) > 1 else 1 / fps
    end = timestamps[-1] + last_gap
    moments = start + np.arange(num_frames) / fps + 1e-6  # (num_frames,)
    if moments[-1] >= end:
        raise ValueError(f"frame {num_frames - 1} would be at {moments[-1]:.3f} s, but the clip ends at {end:.3f} s")
    return (np.searchsorted(timestamps, moments, side="right") - 1).tolist()


def frames_to_clip(frames: np.ndarray) -> torch.Tensor:
    """Turns frames as files hold them into a clip as models take it: value 0 becomes -1, value 255 becomes 1.

    Args:
        frames: uint8 (T, H, W, C), values 0 to 255.

    Returns:
        float32 (C, T, H, W), values -1 to 1, contiguous, sharing no memory with `frames`.

    Raises:
        ValueError: `frames` is not uint8, or has not four axes.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"frames must be uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    pixels = torch.from_numpy(np.ascontiguousarray(frames))
    return rearrange(pixels, "t h w c -> c t h w").contiguous().float() / 127.5 - 1  # (C, T, H, W)


def clip_to_frames(clip: torch.Tensor) -> np.ndarray:
    """The way back from a clip to frames: rounds to the nearest value, and clamps what lies outside -1 to 1.

    Args:
        clip: float (C, T, H, W), meant for -1 to 1; on any device, with or without gradients.

    Returns:
        uint8 (T, H, W, C). `clip_to_frames(frames_to_clip(frames))` gives `frames` back exactly.

    Raises:
        ValueError: `clip` has not four axes.
    """
    if clip.ndim != 4:
        raise ValueError(f"clip must be (C, T, H, W), got {tuple(clip.shape)}")
    pixels = (clip.detach().float().clamp(-1, 1) + 1) * 127.5
    return rearrange(pixels.round().byte(), "c t h w -> t h w c").contiguous().cpu().numpy()  # (T, H, W, C)


def sample_clip(
    path, num_frames: int, *, fps: float | None = None, start: float = 0.0, size: int | None = None
) -> torch.Tensor:
    """Reads a clip out of a video file: frames spread evenly from `start` to the end, or taken at a uniform rate.

    Only the frames that are asked for are converted, and decoding starts at the keyframe nearest to each.

    Args:
        path: A video file.
        num_frames: How many frames to take, at least 1.
        fps: Frames for each second of the video (`fps_indices`), or None for evenly from the frame on screen at
            `start` to the last one (`even_indices`).
        start: Seconds from the beginning of the video.
        size: Length of the shorter side in pixels, aspect kept, or None for the video's own size.

    Returns:
        float32 (C, T, H, W), values -1 to 1, C = 3 and T = `num_frames`.

    Raises:
        ValueError: `num_frames`, `fps`, `start` or `size` is out of its range, or the video ends too early.
        VideoError: the file cannot be read (a kind of ValueError).
    """
    with VideoReader(path) as reader:
        end = reader.info.duration  # until then the last frame stays
        last = start + (num_frames - 1) / fps if fps else start
        if last + 1e-6 >= end:
            raise ValueError(f"frame {num_frames - 1} would be at {last:.3f} s, but the video ends at {end:.3f} s")
        timestamps = [*reader.timestamps, end]
        if fps is not None:
            indices = fps_indices(timestamps, fps, num_frames, start)
        else:
            [first] = fps_indices(timestamps, fps=1.0, num_frames=1, start=start)
            indices = [first + i for i in even_indices(len(reader) - first, num_frames)]
        return frames_to_clip(reader.read(indices, size=size))
