"""Which frame is shown when, read from a file's packets: nothing is decoded unless the packets leave it open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

import numpy as np

from common.video.container import open_video
from common.video.errors import NoFramesError, TruncatedVideoError, guarded

VP8_SHOWN = 0x10  # RFC 6386, 9.1: the show_frame bit in a frame's first byte
MAX_REORDER = 16  # H.264 and HEVC hold back at most 16 frames
NOT_CODED = 8  # bytes: an MPEG-4 packet of this length is an N-VOP ("not coded"), a header without a picture


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
        counted: The packets' time stamps do not tell which frame is which, so that frames have to be counted from the
            start.
        stream: Number of the stream in its file.
    """

    pts: np.ndarray
    timestamps: np.ndarray
    keyframes: tuple[Keyframe, ...]
    last_duration: float
    tick: float
    reorder_depth: int = 0
    counted: bool = False
    stream: int = 0

    def __len__(self) -> int:
        return len(self.pts)


class _Packet(NamedTuple):
    pts: int | None
    dts: int | None
    duration: int
    size: int
    is_keyframe: bool
    is_shown: bool


def build_index(container, stream, path) -> FrameIndex:
    """Reads all packets of the stream once, and decodes it once where they leave doubt about the order of frames.

    Raises:
        TruncatedVideoError: the file ends before the last frame that its own table lists.
        NoFramesError: the stream holds no frame that can be shown.
        CorruptVideoError: the packets cannot be read through.
    """
    with guarded(path, "read through"):
        _check_complete(stream, path)
        packets = _read_packets(container, stream)
        first = next((i for i, packet in enumerate(packets) if packet.is_keyframe), 0)
        packets = packets[first:]  # what comes before the first keyframe can never be decoded
        stamps = [packet.pts for packet in packets if packet.is_shown]  # in decoding order
        if not stamps:
            raise NoFramesError(f"{path} has a video stream, but no frame in it. Record or export it again.")
        if not _are_distinct(stamps) or _is_displaced(stamps) or _has_guessed_stamps(container, stream):
            return _count_frames(_decode_all(stream, path)[0], stream, path)
        index = _index_packets(packets, container, stream)
        return _checked(index, stream, path) if _is_doubtful(index, packets, stream) else index


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


def _read_packets(container, stream) -> list[_Packet]:
    is_vp8 = stream.codec_context.name == "vp8"
    packets = []
    for packet in container.demux(stream):
        if packet.size:
            hidden = packet.is_discard or (is_vp8 and not memoryview(packet)[0] & VP8_SHOWN)
            duration = packet.duration or 0
            packets.append(_Packet(packet.pts, packet.dts, duration, packet.size, packet.is_keyframe, not hidden))
    return packets


def _index_packets(packets: list[_Packet], container, stream) -> FrameIndex:
    stamps = [packet.pts for packet in packets if packet.is_shown]  # in decoding order
    pts = np.sort(np.array(stamps, np.int64))
    keys = [packet for packet in packets if packet.is_keyframe and packet.pts is not None] or packets[:1]
    starts = [
        (packet.pts, packet.pts if packet.dts is None else packet.dts) for packet in keys if packet.pts is not None
    ]  # when a keyframe is shown, and where a seek to it goes
    first_shown, first_read = starts[0]
    if pts[0] < first_shown:
        early = _stamps_before(first_shown, container, stream, seek_to=first_read)
        pts = pts[np.isin(pts, early) | (pts >= first_shown)]
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
        stream=stream.index,
    )


def _stamps_before(first_shown: int, container, stream, seek_to: int) -> list[int]:
    """What a decoder shows before the first keyframe: pictures coded after it may lean on others that are not there."""
    container.seek(seek_to, stream=stream)
    stamps = []
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= first_shown:
            break
        stamps.append(frame.pts)
    return stamps


def _keyframes(starts: list[tuple[int, int]], pts: np.ndarray) -> tuple[Keyframe, ...]:
    numbers = np.searchsorted(pts, [shown for shown, _ in starts]).tolist()
    latest = {number: Keyframe(number, *start) for number, start in zip(numbers, starts) if number < len(pts)}
    return tuple(latest[number] for number in sorted(latest))


def _reorder_depth(stamps: np.ndarray) -> int:
    """The most frames that come before one frame in decoding order and after it on screen."""
    depth = np.zeros(len(stamps), np.int64)
    for back in range(1, min(MAX_REORDER + 1, len(stamps))):
        depth[back:] += stamps[:-back] > stamps[back:]
    return int(depth.max())


def _are_distinct(stamps: Sequence[int | None]) -> TypeGuard[list[int]]:
    return None not in stamps and len(set(stamps)) == len(stamps)


def _is_displaced(stamps: list[int]) -> bool:
    """Whether more frames come before one that is shown before them than a codec holds back: files put end to end."""
    order = np.argsort(stamps, kind="stable")
    return bool((order - np.arange(len(order))).max() > MAX_REORDER)


def _has_guessed_stamps(container, stream) -> bool:
    """AVI stores no presentation times; where frames are reordered, what the demuxer makes up is wrong."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def _is_doubtful(index: FrameIndex, packets: list[_Packet], stream) -> bool:
    """Whether the index may not agree with what the decoder gives back.

    Time stamps that rise from packet to packet say that frames are stored in the order in which they are shown. If the
    decoder waits for later packets all the same, then either no frame makes use of the waiting, or the stamps belong to
    other frames. So it is with MPEG-4 "packed bitstream" in AVI (two frames share a packet, an N-VOP follows), and
    in files whose writer knew decoding times only. Of an N-VOP, the decoder makes no frame at all.
    """
    waits_in_vain = index.reorder_depth == 0 and stream.codec_context.reorder_depth > 0
    has_not_coded = stream.codec_context.name == "mpeg4" and min(packet.size for packet in packets) <= NOT_CODED
    return (waits_in_vain and len(index) > 1) or has_not_coded or not index.keyframes


def _checked(index: FrameIndex, stream, path) -> FrameIndex:
    """The index, if a decode of the whole stream gives its frames in its order; else one that counts them."""
    stamps, is_damaged = _decode_all(stream, path)
    agrees = stamps == index.pts.tolist()
    if is_damaged and _are_distinct(stamps):  # then some frames may be missing, but the others keep the order
        agrees = stamps == sorted(stamps) and set(stamps) <= set(index.pts.tolist())
    return index if agrees and index.keyframes else _count_frames(stamps, stream, path)


def _decode_all(stream, path) -> tuple[list[int | None], bool]:
    """The time stamp of each frame that the decoder gives, in its order; and whether it had to pass over damage."""
    container, counted = open_video(path, number=stream.index)  # anew: a raw stream cannot be rewound
    stamps, is_damaged = [], False
    with container:
        for packet in container.demux(counted):
            try:
                stamps += [frame.pts for frame in counted.codec_context.decode(packet)]
            except Exception:  # of any class; reading will say which frames are missing
                is_damaged = True
    return stamps, is_damaged


def _count_frames(stamps: list[int | None], stream, path) -> FrameIndex:
    """An index for a stream whose time stamps do not tell which frame is which, by all frames that came out of it."""
    if not stamps:
        raise NoFramesError(f"{path} has a video stream, but none of its frames can be decoded. Export it again.")
    numbers = np.arange(len(stamps), dtype=np.int64)
    tick = gap = 1 / _rate(stream)
    timestamps = numbers * gap
    if _are_distinct(stamps) and not _is_displaced(stamps):  # in order, whatever the stamps: sorted, they are the times
        tick = float(stream.time_base)
        timestamps = (np.sort(stamps) - min(stamps)) * tick
        gap = _last_gap(timestamps, stream)
    return FrameIndex(numbers, timestamps, (Keyframe(0, 0, 0),), gap, tick, counted=True, stream=stream.index)


def _last_gap(timestamps: np.ndarray, stream) -> float:
    return float(timestamps[-1] - timestamps[-2]) if len(timestamps) > 1 else 1 / _rate(stream)


def _rate(stream) -> float:
    return float(stream.average_rate or stream.guessed_rate or 25)
