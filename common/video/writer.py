"""Writes frames to a video file, with colours that any player shows the same."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from common.video.errors import VideoError
from common.video.sampling import clip_to_frames


class Encoder(NamedTuple):
    """How a codec is driven: FFmpeg's encoder, the containers that take it, its quality scale (lower is better)."""

    name: str
    suffixes: tuple[str, ...]
    smallest_side: int
    default_quality: int | None
    worst_quality: int | None
    options: dict[str, str]


ENCODERS = {
    "h264": Encoder("libx264", (".mp4", ".mov", ".mkv"), 1, 18, 51, {"preset": "medium"}),
    "av1": Encoder("libsvtav1", (".mp4", ".mkv", ".webm"), 4, 25, 63, {"preset": "8"}),
    "ffv1": Encoder("ffv1", (".mkv", ".avi"), 1, None, None, {"level": "3", "slicecrc": "1"}),
}
# Seconds: the usual tick of files whose frames come at uneven times.
CLOCK = Fraction(1, 90_000)


def write(
    path,
    frames_or_clip: np.ndarray | torch.Tensor | Iterable[np.ndarray],
    fps: float,
    codec: str = "h264",
    quality: int | None = None,
    *,
    timestamps: Sequence[float] | None = None,
) -> Path:
    """Writes a video file. It appears whole or not at all: a failure leaves what stood at `path` before.

    H.264 and AV1 are written as 4:2:0 in BT.709, limited range, and tagged so. H.264 has no odd width or height in
    4:2:0; such frames are written as 4:4:4, which keeps every pixel (`VideoReader` reads it, some browsers do not).
    FFV1 is written as RGB and gives every byte back.

    Args:
        path: Where to; the suffix chooses the container: `.mp4`, `.mov` or `.mkv` for H.264, `.mp4`, `.mkv` or `.webm`
            for AV1, `.mkv` or `.avi` for FFV1.
        frames_or_clip: uint8 array (T, H, W, 3), or a clip, float tensor (3, T, H, W) in [-1, 1], or any iterable of
            uint8 arrays (H, W, 3), of which only one at a time is in memory.
        fps: Frames per second, above 0.
        codec: `h264`, `av1` or `ffv1`.
        quality: The codec's constant rate factor, lower is better: 0 to 51 for H.264 (None means 18), 0 to 63 for AV1
            (None means 25). FFV1 loses nothing and takes none.
        timestamps: (T,), seconds at which the frames appear, rising from 0.0, for a variable frame rate; `fps` is then
            only what the file says of itself. None means one frame every `1 / fps` seconds. AVI knows no others.

    Returns:
        The path.

    Raises:
        ValueError: an argument is out of its range, the suffix does not fit the codec, there is no frame, or there are
            not as many timestamps as frames.
    """
    path = Path(path)
    encoder = _check(path, fps, codec, quality)
    ticks = None if timestamps is None else _ticks(timestamps, path)
    pictures = iter(_pictures(frames_or_clip))
    first = next(pictures, None)
    if first is None:
        raise ValueError("there is no frame to write: it is empty")
    height, width = _check_picture(first).shape[:2]
    if min(height, width) < encoder.smallest_side:
        raise ValueError(f"{codec} needs at least {encoder.smallest_side} pixels a side, got {width} x {height}")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with _same_priority():
            _encode(part, chain([first], pictures), fps, encoder, quality, ticks)
        os.replace(part, path)
    except av.FFmpegError as error:
        raise VideoError(f"{path} could not be written: {error}. Check the folder and the free space.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _check(path: Path, fps: float, codec: str, quality) -> Encoder:
    if codec not in ENCODERS:
        raise ValueError(f"codec must be one of {', '.join(ENCODERS)}, got {codec!r}")
    encoder = ENCODERS[codec]
    if path.suffix.lower() not in encoder.suffixes:
        raise ValueError(f"{codec} goes into {' or '.join(encoder.suffixes)}, got {path.name!r}")
    if not path.parent.is_dir():
        raise ValueError(f"the folder {path.parent} does not exist: make it first")
    if path.is_dir():
        raise ValueError(f"{path} is a directory: name a file")
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps must be above 0, got {fps}")
    if quality is not None and encoder.worst_quality is None:
        raise ValueError(f"{codec} is lossless and takes no quality, got {quality}")
    if quality is not None and not 0 <= quality <= encoder.worst_quality:
        raise ValueError(f"quality must lie between 0 and {encoder.worst_quality} for {codec}, got {quality}")
    return encoder


def _ticks(timestamps: Sequence[float], path: Path) -> list[int]:
    """Seconds to ticks of `CLOCK`."""
    ticks = (np.asarray(timestamps, np.float64) / float(CLOCK)).round().astype(np.int64)  # (T,)
    if ticks.ndim != 1 or len(ticks) == 0 or ticks[0] != 0 or (np.diff(ticks) <= 0).any():
        raise ValueError(f"timestamps must rise from 0.0 seconds, got {timestamps}")
    if path.suffix.lower() == ".avi":
        raise ValueError(f"AVI holds no timestamps: write {path.name!r} as .mkv")
    return ticks.tolist()


def _pictures(frames) -> Iterable[np.ndarray]:
    if isinstance(frames, torch.Tensor):
        return clip_to_frames(frames)  # (T, H, W, C)
    if isinstance(frames, np.ndarray) and frames.ndim != 4:
        raise ValueError(f"frames must be (T, H, W, 3), got {frames.shape}")
    return frames


def _check_picture(picture: np.ndarray, shape: tuple | None = None) -> np.ndarray:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"each frame must be uint8 (H, W, 3), got {picture.dtype} {picture.shape}")
    if shape is not None and picture.shape != shape:
        raise ValueError(f"all frames must have one shape: the first is {shape}, another is {picture.shape}")
    return picture


@contextlib.contextmanager
def _same_priority() -> Iterator[None]:
    """SVT-AV1, when root runs it, gives its caller real-time priority for good; here the caller gets its own back."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameters)


def _encode(
    path: Path, pictures: Iterator[np.ndarray], fps: float, encoder: Encoder, quality, ticks: list[int] | None
) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder talks at length on every file
    rate = Fraction(fps).limit_denominator(100_000)
    clock = 1 / rate if ticks is None else CLOCK
    moments = count() if ticks is None else ticks
    reformatter = VideoReformatter()
    shape = None
    with av.open(f"file:{os.path.abspath(path)}", "w") as container:
        for moment, picture in _pairs(moments, pictures):
            if shape is None:
                shape = picture.shape
                stream = _add_stream(container, shape, rate, clock, encoder, quality)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(_check_picture(picture, shape)))
            frame = _from_rgb(frame, stream.pix_fmt, reformatter)
            frame.pts, frame.time_base = moment, clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _pairs(moments: Iterable[int], pictures: Iterator[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Zips the two; moments without end are cut, but a list of them has to have the right length."""
    moments = iter(moments)
    for picture in pictures:
        moment = next(moments, None)
        if moment is None:
            raise ValueError("there are more frames than timestamps: give one timestamp for each frame")
        yield moment, picture
    if not isinstance(moments, count) and next(moments, None) is not None:
        raise ValueError("there are more timestamps than frames: give one timestamp for each frame")


def _add_stream(container, shape: tuple, rate: Fraction, clock: Fraction, encoder: Encoder, quality):
    height, width, _ = shape
    options = dict(encoder.options)
    if encoder.default_quality is not None:
        options["crf"] = str(encoder.default_quality if quality is None else quality)
    stream = container.add_stream(encoder.name, rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, _pixel_format(encoder.name, height, width)
    stream.time_base = stream.codec_context.time_base = clock
    if stream.pix_fmt != "bgr0":
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _pixel_format(encoder: str, height: int, width: int) -> str:
    if encoder == "ffv1":
        return "bgr0"
    is_odd = height % 2 or width % 2
    return "yuv444p" if encoder == "libx264" and is_odd else "yuv420p"


def _from_rgb(frame: av.VideoFrame, pixel_format: str, reformatter: VideoReformatter) -> av.VideoFrame:
    is_rgb = pixel_format == "bgr0"
    return reformatter.reformat(
        frame,
        format=pixel_format,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG if is_rgb else ColorRange.MPEG,
        interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
    )
