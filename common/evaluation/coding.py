"""Rate and distortion: how many bits rounded latents need, and what H.264 makes of a clip with as many."""

from collections.abc import Sequence
from fractions import Fraction
from math import log

import av
import numpy as np
import torch

from common.evaluation.reconstruction import clip_psnr
from common.video.sampling import clip_to_frames, frames_to_clip

WORST_CRF = 51  # of x264: constant rate factor, lower is better


def ideal_bits(levels: Sequence[torch.Tensor]) -> float:
    """Bits of an ideal entropy code with one table per channel, for all clips together.

    It is the empirical entropy of each channel times its count. The tables themselves are not counted, nor is anything
    that neighbours tell about each other.

    Args:
        levels: of each clip, whole numbers `(C, ...)`.
    """
    bits = 0.0
    for channel in torch.cat([one.flatten(1) for one in levels], dim=1):  # (N,)
        share = channel.unique(return_counts=True)[1].double() / len(channel)
        bits -= float((share * share.log2()).sum()) * len(channel)
    return bits


def h264(clip: torch.Tensor, crf: int) -> tuple[torch.Tensor, int]:
    """A clip through x264 and back: 4:4:4, preset veryslow, one thread.

    Args:
        clip: `(3, T, H, W)` in [-1, 1].
        crf: constant rate factor, 0 to 51.

    Returns:
        The restored clip, and the bytes of its packets: the stream alone, without a container.
    """
    coder, reader = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    coder.height, coder.width = clip.shape[-2:]
    coder.pix_fmt, coder.time_base, coder.framerate = "yuv444p", Fraction(1, 24), Fraction(24)
    coder.options = {"crf": str(crf), "preset": "veryslow", "x264-params": "threads=1:info=0"}
    reader.thread_type = "NONE"
    pictures = [av.VideoFrame.from_ndarray(frame) for frame in clip_to_frames(clip)]
    packets = [packet for picture in [*pictures, None] for packet in coder.encode(picture)]
    frames = [frame.to_ndarray(format="rgb24") for packet in [*packets, None] for frame in reader.decode(packet)]
    return frames_to_clip(np.stack(frames)), sum(packet.size for packet in packets)


def h264_psnr(clips: Sequence[torch.Tensor], bits: float) -> float:
    """H.264's PSNR with a number of bits for all clips together, in dB: the mean of each clip's own.

    All clips are coded at one quality. Between two neighbouring constant rate factors it is interpolated in the
    logarithm of the bits.

    Args:
        clips: `(3, T, H, W)` each, in [-1, 1].
        bits: for all of them.

    Raises:
        ValueError: the bits are fewer than H.264's worst quality takes, or more than its best.
    """

    def coded(crf: int) -> tuple[float, float]:
        found = [h264(clip, crf) for clip in clips]
        quality = [float(clip_psnr(back[None], clip[None], data_range=2.0)) for (back, _), clip in zip(found, clips)]
        return 8 * sum(size for _, size in found), sum(quality) / len(quality)

    better, worse = 0, WORST_CRF
    seen = {crf: coded(crf) for crf in (better, worse)}
    if not seen[worse][0] <= bits <= seen[better][0]:
        raise ValueError(f"H.264 takes {seen[worse][0]:.0f} to {seen[better][0]:.0f} bits for these, not {bits:.0f}")
    while worse - better > 1:
        middle = (better + worse) // 2
        seen[middle] = coded(middle)
        better, worse = (better, middle) if seen[middle][0] <= bits else (middle, worse)
    (more, high), (fewer, low) = seen[better], seen[worse]
    if more == fewer:
        return high
    return low + (high - low) * (log(bits) - log(fewer)) / (log(more) - log(fewer))
