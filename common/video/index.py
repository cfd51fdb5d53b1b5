"""Which frame is shown when, read from a file's packets: nothing is decoded unless the packets leave it open."""

from dataclasses import dataclass
from typing import NamedTuple

import av
import numpy as np

from common.video.container import open_video
from common.video.errors import CorruptVideoError, NoFramesError, TruncatedVideoError

VP8_SHOWN = 0x10  # RFC 6386, 9.1: the show_frame bit in a frame's first byte
MAX_REORDER = 16  # H.264 and HEVC hold back at most 16 frames


@dataclass(frozen=True)
class Keyframe:
    """A packet at which decoding can start.

    Attributes:
        number: Of the first frame that is sure to come out, in order of presentation.
        pts: Presentation time stamp of the packet, in ticks.
        dts: Its decoding time stamp, in ticks: where to seek to.
    """

    number: int
    pts: int
    dts: int


@dataclass(frozen=True)
class FrameIndex:
    """Every frame of a stream, in order of presentation.

    Attributes:
        pts: int64 (N,), rising: presentation time stamps in ticks; where `counted`, simply 0, 1, 2, ...
        timestamps: float64 (N,), seconds, the first frame at 0.0.
        keyframes: Where decoding can start, rising; the first one serves every frame before the second.
        last_duration: Of the last frame, in seconds.
        tick: Length of a tick, in seconds.
        reorder_depth: How many frames at most are coded before a frame and shown after it.
        counted: The packets carry no usable time stamps, so that frames have to be counted from the start.
    """

    pts: np.ndarray
    timestamps: np.ndarray
    keyframes: tuple[Keyframe, ...]
    last_duration: float
    tick: float
    reorder_depth: int = 0
    counted: bool = False

    def __len__(self) -> int:
        return len(self.pts)


class _Packet(NamedTuple):
    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    is_shown: bool


def build_index(container, stream, path) -> FrameIndex:
    """Reads all packets of the stream once.

    Raises:
        TruncatedVideoError: the file ends before the last frame that its own table lists.
        NoFramesError: the stream holds no frame that can be shown.
        CorruptVideoError: the packets cannot be read through.
    """
    _check_complete(stream, path)
    packets = _read_packets(container, stream, path)
    first = next((i for i, packet in enumerate(packets) if packet.is_keyframe), 0)
    packets = packets[first:]  # what comes before the first keyframe can never be decoded
    stamps = [packet.pts for packet in packets if packet.is_shown]
    if not stamps:
        raise NoFramesError(f"{path} has a video stream, but no frame in it. Record or export it again.")
    if None in stamps or len(set(stamps)) < len(stamps) or _has_guessed_stamps(container, stream):
        return _count_frames(stream, path)
    return _index_packets(packets, container, stream)


def _check_complete(stream, path) -> None:
    """MP4 and MOV list where each frame lies: all of them must lie inside the file."""
    if not stream.container.format.name.startswith("mov"):
        return
    size = path.stat().st_size
    missing = sum(entry.pos + entry.size > size for entry in stream.index_entries)
    if missing:
        raise TruncatedVideoError(
            f"{path} is cut short: its table lists {len(stream.index_entries)} frames, and {missing} of them lie "
            f"beyond its end ({size} bytes). Copy or download it again."
        )


def _read_packets(container, stream, path) -> list[_Packet]:
    is_vp8 = stream.codec_context.name == "vp8"
    packets = []
    try:
        for packet in container.demux(stream):
            if packet.size:
                hidden = packet.is_discard or (is_vp8 and not memoryview(packet)[0] & VP8_SHOWN)
                packets.append(_Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, not hidden))
    except av.FFmpegError as error:
        raise CorruptVideoError(f"{path} cannot be read through: {error}. Copy or download it again.") from error
    return packets


def _index_packets(packets: list[_Packet], container, stream) -> FrameIndex:
    starts = [packet for packet in packets if packet.is_keyframe and packet.pts is not None] or packets[:1]
    stamps = [packet.pts for packet in packets if packet.is_shown]  # in decoding order
    pts = np.sort(np.array(stamps, np.int64))
    if pts[0] < starts[0].pts:
        pts = pts[np.isin(pts, _first_stamps(container, stream, starts[0])) | (pts >= starts[0].pts)]
    tick = float(stream.time_base)
    timestamps = (pts - pts[0]) * tick
    last = next(packet for packet in packets if packet.pts == pts[-1])
    return FrameIndex(
        pts=pts,
        timestamps=timestamps,
        keyframes=_keyframes(starts, pts),
        last_duration=last.duration * tick or _last_gap(timestamps, stream),
        tick=tick,
        reorder_depth=_reorder_depth(np.array(stamps, np.int64)),
    )


def _first_stamps(container, stream, start: _Packet) -> list[int]:
    """What a decoder shows before the first keyframe: pictures coded after it may lean on others that are not there."""
    container.seek(start.pts if start.dts is None else start.dts, stream=stream)
    stamps = []
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= start.pts:
            break
        stamps.append(frame.pts)
    return stamps


def _keyframes(starts: list[_Packet], pts: np.ndarray) -> tuple[Keyframe, ...]:
    numbers = np.searchsorted(pts, [start.pts for start in starts]).tolist()
    latest = {
        number: Keyframe(number, start.pts, start.pts if start.dts is None else start.dts)
        for number, start in zip(numbers, starts)
        if number < len(pts)
    }
    return tuple(latest[number] for number in sorted(latest))


def _reorder_depth(stamps: np.ndarray) -> int:
    """The most frames that come before one frame in decoding order and after it on screen."""
    depth = np.zeros(len(stamps), np.int64)
    for back in range(1, min(MAX_REORDER + 1, len(stamps))):
        depth[back:] += stamps[:-back] > stamps[back:]
    return int(depth.max())


def _has_guessed_stamps(container, stream) -> bool:
    """AVI stores no presentation times; where frames are reordered, what the demuxer makes up is wrong."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def _count_frames(stream, path) -> FrameIndex:
    """For streams whose packets carry no time stamps (raw H.264, some AVI): decodes once and counts."""
    container, counted = open_video(path)  # a raw stream cannot be rewound
    try:
        stamps = [frame.pts for frame in container.decode(counted)]
    except av.FFmpegError as error:
        raise CorruptVideoError(f"{path} cannot be decoded through: {error}. Copy or download it again.") from error
    finally:
        container.close()
    if not stamps:
        raise NoFramesError(f"{path} has a video stream, but none of its frames can be decoded. Export it again.")
    numbers = np.arange(len(stamps), dtype=np.int64)
    only_start = (Keyframe(0, 0, 0),)
    if None in stamps or np.any(np.diff(stamps) <= 0):
        gap = 1 / _rate(stream)
        return FrameIndex(numbers, numbers * gap, only_start, gap, gap, counted=True)
    tick = float(stream.time_base)
    timestamps = (np.array(stamps, np.int64) - stamps[0]) * tick
    return FrameIndex(numbers, timestamps, only_start, _last_gap(timestamps, stream), tick, counted=True)


def _last_gap(timestamps: np.ndarray, stream) -> float:
    return float(timestamps[-1] - timestamps[-2]) if len(timestamps) > 1 else 1 / _rate(stream)


def _rate(stream) -> float:
    return float(stream.average_rate or stream.guessed_rate or 25)
