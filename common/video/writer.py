"""Writes frames to a video file, with colours that any player shows the same."""

import contextlib
import os
import secrets
from collections.abc import Generator, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from common.files import put_in_place, reason
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


PLAYABLE = 256  # pixels: players blur smaller videos, or show them as a stamp
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
        frames_or_clip: uint8 array or tensor (T, H, W, 3), or a clip, float tensor (3, T, H, W) in [-1, 1], or any
            iterable of frames, of which only one at a time is in memory. Such a frame is a uint8 array (H, W, 3) or a
            PIL image, which is converted to RGB.
        fps: Frames per second, from 1/10000 to 100000: any number, also NumPy's.
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
        VideoError: the encoder or the system refuses: no space, no permission, a name too long (a kind of ValueError).
    """
    path = Path(os.fsdecode(path))
    rate = _rate(fps)
    encoder = _check(path, codec, quality)
    ticks = None if timestamps is None else _ticks(timestamps, path)
    pictures = iter(_pictures(frames_or_clip))
    try:
        first = _image(next(pictures))
    except StopIteration:
        raise ValueError("there is no frame to write: it is empty") from None
    height, width = first.shape[:2]
    if min(height, width) < encoder.smallest_side:
        raise ValueError(f"{codec} needs at least {encoder.smallest_side} pixels a side, got {width} x {height}")
    part = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix}")  # short: the name itself may be of full length
    try:
        with _same_priority():
            _encode(part, chain([first], pictures), rate, encoder, quality, ticks)
        _move(part, path)
    except av.FFmpegError as error:
        raise VideoError(f"{path} could not be written: {error}. Check the folder and the free space.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def enlarged(frames: np.ndarray) -> np.ndarray:
    """Frames `(..., H, W, 3)` with every pixel as a square, so that each side has at least `PLAYABLE` pixels."""
    factor = -(-PLAYABLE // min(frames.shape[-3:-1]))  # rounded up
    return frames.repeat(factor, axis=-3).repeat(factor, axis=-2)


def _move(part: Path, path: Path) -> None:
    try:
        put_in_place(part, path)
    except OSError as error:
        raise VideoError(f"{path} could not be written: {reason(error)}. Choose another place.") from error


def _rate(fps) -> Fraction:
    """Frames per second as a fraction that containers can hold, out of a number of any kind."""
    try:
        rate = fps if isinstance(fps, Fraction) else Fraction(float(fps))
    except (TypeError, ValueError, OverflowError) as error:  # no number; not a number; infinite
        raise ValueError(f"fps must be a number above 0, got {fps!r}") from error
    if not Fraction(1, 10_000) <= rate <= 100_000:
        raise ValueError(f"fps must lie between 1/10000 and 100000, got {fps}")
    return rate.limit_denominator(100_000)


def _check(path: Path, codec: str, quality) -> Encoder:
    if codec not in ENCODERS:
        raise ValueError(f"codec must be one of {', '.join(ENCODERS)}, got {codec!r}")
    encoder = ENCODERS[codec]
    if path.suffix.lower() not in encoder.suffixes:
        raise ValueError(f"{codec} goes into {' or '.join(encoder.suffixes)}, got {path.name!r}")
    try:
        if not path.parent.is_dir():
            raise ValueError(f"the folder {path.parent} does not exist: make it first")
        if path.is_dir():
            raise ValueError(f"{path} is a directory: name a file")
    except OSError as error:
        raise VideoError(f"{path} cannot be written: {reason(error)}. Choose another name.") from error
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


def _pictures(frames) -> Iterable:
    if isinstance(frames, torch.Tensor):
        is_clip = frames.is_floating_point()
        return clip_to_frames(frames) if is_clip else _pictures(frames.numpy(force=True))  # (T, H, W, C)
    if isinstance(frames, np.ndarray) and frames.ndim != 4:
        raise ValueError(f"frames must be (T, H, W, 3), got {frames.shape}")
    if not isinstance(frames, Iterable) or isinstance(frames, (str, bytes)):
        raise ValueError(f"frames must be an array, a tensor or an iterable of frames, got {type(frames).__name__}")
    return frames


def _image(frame, shape: tuple | None = None) -> np.ndarray:
    """A frame as uint8 (H, W, 3); checked, also against the shape of the first."""
    if hasattr(frame, "convert"):  # PIL's, without importing it
        frame = frame.convert("RGB")
    image = np.asarray(frame)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"each frame must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
    if shape is not None and image.shape != shape:
        raise ValueError(f"all frames must have one shape: the first is {shape}, another is {image.shape}")
    return image


@contextlib.contextmanager
def _same_priority() -> Generator[None]:
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


def _encode(path: Path, pictures: Iterator, rate: Fraction, encoder: Encoder, quality, ticks: list[int] | None) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder talks at length on every file
    clock = 1 / rate if ticks is None else CLOCK
    moments = count() if ticks is None else ticks
    reformatter = VideoReformatter()
    first = _image(next(pictures))
    with av.open(f"file:{os.path.abspath(path)}", "w") as container:
        stream = _add_stream(container, first.shape, rate, clock, encoder, quality)
        for moment, picture in _pairs(moments, chain([first], pictures)):
            image = _image(picture, first.shape)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image))
            frame = _from_rgb(frame, stream.pix_fmt, reformatter)
            frame.pts, frame.time_base = moment, clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _pairs(moments: Iterable[int], pictures: Iterator) -> Iterator[tuple[int, object]]:
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
