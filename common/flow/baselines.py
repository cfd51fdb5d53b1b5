"""Frame interpolation without a network: the mean of both pictures, a classical flow, and the filter of ffmpeg.

All take two batches of pictures and give the picture midway, so that they can be compared with a trained model.
"""

import subprocess

import numpy as np
import torch
from einops import rearrange

from common.flow.between import fuse, warp_to_time
from common.flow.opencv import dis
from common.tensor_ops import from_uint8, to_uint8
from common.video.peers import ffmpeg_program

MINTERPOLATE = "minterpolate=fps=2:mi_mode=mci:scd=none"  # motion-compensated; a cut is never assumed


def average_frames(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """The mean of both pictures, `(B, C, H, W)`: what moves is seen twice, half as strong."""
    return (first + last) / 2


def dis_between(first: torch.Tensor, last: torch.Tensor, time: float = 0.5) -> torch.Tensor:
    """Both pictures warped to `time` by OpenCV's DIS flow (`common.flow.dis`), then their mean by time.

    Args:
        first: `(B, C, H, W)`, values in [-1, 1], one channel or three.
        last: the same shape.
        time: from 0, the first picture, to 1, the last.

    Returns:
        `(B, C, H, W)`.

    Raises:
        ImportError: OpenCV is not installed.
        ValueError: the pictures have not four axes, their shapes differ, or `time` is not from 0 to 1.
    """
    warped_first, warped_last = warp_to_time(first, last, dis(first, last), dis(last, first), time)
    everywhere = torch.ones_like(first[:, :1])  # (B, 1, H, W)
    return fuse(warped_first, warped_last, everywhere, everywhere, time)


def minterpolate(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """The middle by ffmpeg's filter `minterpolate`: blocks that are matched both ways, overlapped, blended.

    Each pair goes through ffmpeg as four frames, first, first, last, last, because the filter looks one frame further
    to either side.

    Args:
        first: `(B, 3, H, W)`, values in [-1, 1].
        last: the same shape.

    Returns:
        `(B, 3, H, W)`, in steps of a level of 255.

    Raises:
        ImportError: there is no ffmpeg on the path, and imageio-ffmpeg is not installed either.
        ValueError: the pictures are not `(B, 3, H, W)` of one shape.
        RuntimeError: ffmpeg failed; the message is its own.
    """
    if first.ndim != 4 or first.shape[1] != 3 or first.shape != last.shape:
        raise ValueError(f"two pictures (B, 3, H, W) of one shape: got {tuple(first.shape)} and {tuple(last.shape)}")
    batch, _, height, width = first.shape
    frames = torch.stack([first, first, last, last], dim=1)  # (B, 4, 3, H, W)
    frames = rearrange(frames, "b n c h w -> (b n) h w c")
    frames = torch.cat([frames, frames[-1:]])  # without one frame more the filter keeps the last ones to itself
    pixels = to_uint8(frames).numpy()
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    command = [ffmpeg_program(), "-nostdin", "-v", "error", *raw, "-s", f"{width}x{height}", "-r", "1", "-i", "-",
               "-vf", MINTERPOLATE, *raw, "-"]  # fmt: skip
    done = subprocess.run(command, input=pixels.tobytes(), capture_output=True)
    filled = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)  # (8 B or a little less, H, W, 3)
    if done.returncode or len(filled) < 8 * batch - 4:
        raise RuntimeError(f"ffmpeg's minterpolate failed: {done.stderr.decode(errors='replace').strip()}")
    middles = torch.from_numpy(filled[3::8].copy())[:batch]  # a pair's 8 frames are half a step apart
    return from_uint8(rearrange(middles, "b h w c -> b c h w"), first.dtype).to(first.device)
