"""What a video file says about itself, in one small record."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.video.colour import color_matrix, color_range
from common.video.cropping import Crop, container_crop
from common.video.decoder import FrameDecoder
from common.video.index import FrameIndex
from common.video.orientation import Orientation, orientation_of

SQUARE_ENOUGH = 0.02  # resizing tools state 1280:1281 and the like, to make up for rounding; real shapes start at 5 %
LONGEST_PIXEL = 4  # times its other side: what goes beyond is damage


@dataclass(frozen=True)
class VideoInfo:
    """A video stream, as a person sees it: cropped as the container asks, with square pixels, upright.

    Attributes:
        path: The file.
        container: The demuxer's name, such as `matroska,webm`.
        codec: Such as `h264`, `av1`, `ffv1`.
        width: In pixels, of the frames as reading gives them.
        height: The same.
        fps: Frames per second, on average.
        duration: Seconds, from the first frame's appearance to the end of the last.
        num_frames: How many can be shown.
        pixel_format: FFmpeg's name of how a picture is stored.
        bit_depth: Of a colour component, as stored.
        has_alpha: Whether the pictures carry transparency (reading drops it).
        rotation: Clockwise turn that stands the stored pictures upright: 0, 90, 180 or 270 degrees. Reading applies it.
        orientation: The same with mirrors, as reading applies it.
        crop: Rows and columns of the stored picture that the container asks to cut off. Reading applies it first.
        pixel_aspect: Width of a stored pixel by its height (sample aspect ratio). Reading widens the cropped picture by
            it. 1.0 also where the file states none, one within 2 % of 1, or one beyond 4 to 1.
        stored_size: (width, height) of the first picture as the stream holds it.
        color_matrix: `bt601`, `bt709`, `bt2020`, `fcc`, `smpte240m` or `rgb`; by height where the file does not say.
        color_range: `limited` or `full`.
        variable_frame_rate: Whether the gaps between frames differ by more than rounding to ticks explains.
    """

    path: Path
    container: str
    codec: str
    width: int
    height: int
    fps: float
    duration: float
    num_frames: int
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    rotation: int
    orientation: Orientation
    crop: Crop
    pixel_aspect: float
    stored_size: tuple[int, int]
    color_matrix: str
    color_range: str
    variable_frame_rate: bool


def probe(path) -> VideoInfo:
    """Describes a video file. Reads all its packets, and decodes one frame.

    Raises:
        VideoError: the file cannot be read; each reason is a kind of its own (see `common.video.errors`).
    """
    decoder = FrameDecoder(path)
    try:
        return describe(decoder)
    finally:
        decoder.close()


def describe(decoder: FrameDecoder) -> VideoInfo:
    """Describes the file that a decoder has open, by its index and its first frame."""
    index = decoder.index
    [(_, frame)] = decoder.fetch([0], stay=False)
    orientation = orientation_of(frame)
    crop, pixel_aspect = _crop(decoder, frame), _pixel_aspect(decoder.stream)
    width, height = crop.size(frame.width, frame.height)
    width = max(1, round(width * pixel_aspect))
    if orientation.transpose:
        width, height = height, width
    duration = float(index.timestamps[-1] + index.last_duration)
    is_variable = _varies(index)
    return VideoInfo(
        path=decoder.path,
        container=decoder.container.format.name,
        codec=decoder.stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        fps=_average_fps(index, duration, None if is_variable else decoder.stream.average_rate),
        duration=duration,
        num_frames=len(index),
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        has_alpha=any(component.is_alpha for component in frame.format.components),
        rotation=orientation.degrees,
        orientation=orientation,
        crop=crop,
        pixel_aspect=pixel_aspect,
        stored_size=(frame.width, frame.height),
        color_matrix=color_matrix(frame),
        color_range=color_range(frame),
        variable_frame_rate=is_variable,
    )


def _crop(decoder: FrameDecoder, frame) -> Crop:
    number = [stream.index for stream in decoder.container.streams.video].index(decoder.stream.index)
    name, track = decoder.container.format.name, decoder.stream.id
    return container_crop(decoder.path, name, number, track, frame.width, frame.height)


def _pixel_aspect(stream) -> float:
    """What the container states, else the codec; see `VideoInfo`."""
    aspect = float(stream.sample_aspect_ratio or 0)
    is_plausible = 1 / LONGEST_PIXEL <= aspect <= LONGEST_PIXEL
    return aspect if is_plausible and abs(aspect - 1) > SQUARE_ENOUGH else 1.0


def _varies(index: FrameIndex) -> bool:
    gaps = np.diff(index.timestamps)
    if len(gaps) == 0:
        return False
    rounding = min(1.5 * index.tick, float(np.median(gaps)) / 2)
    return bool(gaps.max() - gaps.min() > rounding)


def _average_fps(index: FrameIndex, duration: float, stated) -> float:
    """Frames by seconds; the rate that the file states where it agrees, because timestamps are rounded."""
    measured = len(index) / duration
    rounding = 2 * index.tick / duration * measured
    return float(stated) if stated and abs(float(stated) - measured) < rounding else measured
