"""Cropping that the container asks for: MP4's clean aperture and Matroska's PixelCrop, read from the file itself.

FFmpeg's demuxers know them, and its own program crops by them; PyAV hands neither on.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Matroska's element numbers (RFC 9559, 5.1).
SEGMENT, TRACKS, TRACK_ENTRY, TRACK_TYPE, VIDEO, CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x83, 0xE0, 0x1F43B675
PIXEL_CROP = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}
VIDEO_TRACK = 1
SAMPLE_ENTRY = 78  # bytes of a VisualSampleEntry between its header and the boxes inside it (ISO/IEC 14496-12, 12.1.3)


class Crop(NamedTuple):
    """Rows and columns to cut off each side of a stored picture, in pixels, before it is turned upright."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of what is left of a picture."""
        return width - self.left - self.right, height - self.top - self.bottom


NO_CROP = Crop()


def container_crop(path: Path, container: str, number: int, track_id: int, width: int, height: int) -> Crop:
    """Reads what a file says about cropping one of its video streams.

    Args:
        path: The file.
        container: The demuxer's name.
        number: The stream's place among the file's video streams, for Matroska.
        track_id: Its track's number, for MP4.
        width: Of the stored picture, in pixels.
        height: The same.

    Returns:
        The crop; none where the file asks for none, or for one that leaves nothing, or is too damaged to tell.
    """
    crop = NO_CROP
    try:
        with path.open("rb") as file:
            if container.startswith("mov"):
                crop = _clean_aperture(file, path.stat().st_size, track_id, width, height)
            elif container.startswith("matroska"):
                crop = _pixel_crop(file, path.stat().st_size, number)
    except (OSError, struct.error, ArithmeticError, LookupError):
        return NO_CROP
    return crop if min(crop) >= 0 and min(crop.size(width, height)) > 0 else NO_CROP


def _clean_aperture(file, end: int, track_id: int, width: int, height: int) -> Crop:
    """The clap box of a track: size and centre of the part to show, as fractions (ISO/IEC 14496-12, 12.1.4)."""
    for moov in _find(_boxes(file, 0, end), b"moov"):
        for trak in _find(_boxes(file, *moov), b"trak"):
            if _track_id(file, trak) != track_id:
                continue
            place = trak
            for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
                place = next(_find(_boxes(file, *place), kind), (0, 0))
            for _, start, stop in list(_boxes(file, place[0] + 8, place[1]))[:1]:
                for clap, _ in _find(_boxes(file, start + SAMPLE_ENTRY, stop), b"clap"):
                    file.seek(clap)
                    w, w_by, h, h_by, x, x_by, y, y_by = struct.unpack(">2I2IiIiI", file.read(32))
                    left, top = (width - w / w_by) / 2 + x / x_by, (height - h / h_by) / 2 + y / y_by
                    right, bottom = width - w / w_by - left, height - h / h_by - top
                    return Crop(int(left // 1), int(top // 1), int(right // 1), int(bottom // 1))
    return NO_CROP


def _track_id(file, trak: tuple[int, int]) -> int:
    for start, _ in _find(_boxes(file, *trak), b"tkhd"):
        file.seek(start)
        header = file.read(24)
        return struct.unpack_from(">I", header, 20 if header[0] else 12)[0]  # version 1 has times of 64 bits
    return -1


def _boxes(file, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, first byte of the content, byte behind it) of each box."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if size == 1:
            size, content = struct.unpack(">Q", file.read(8))[0], start + 16
        stop = end if size == 0 else start + size
        if stop < content:
            return
        yield kind, content, min(stop, end)
        start = stop


def _pixel_crop(file, end: int, number: int) -> Crop:
    """The four PixelCrop elements of a video track."""
    for segment in _find(_elements(file, 0, end), SEGMENT):
        for tracks in _find(_elements(file, *segment), TRACKS):
            tracks = [
                place
                for place in _find(_elements(file, *tracks), TRACK_ENTRY)
                if any(_number(file, kind) == VIDEO_TRACK for kind in _find(_elements(file, *place), TRACK_TYPE))
            ]
            for video in _find(_elements(file, *tracks[number]), VIDEO) if number < len(tracks) else ():
                sides = {
                    PIXEL_CROP[kind]: _number(file, place)
                    for kind, *place in _elements(file, *video)
                    if kind in PIXEL_CROP
                }
                return Crop(**sides)
    return NO_CROP


def _elements(file, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, first byte of the content, byte behind it) of each element, up to one of unknown size (RFC 8794, 4)."""
    while start + 2 <= end:
        file.seek(start)
        head = file.read(12)
        id_length = 9 - head[0].bit_length()
        size_length = 9 - head[id_length].bit_length() if id_length <= 4 else 9
        if size_length > 8:
            return
        kind = int.from_bytes(head[:id_length], "big")
        bits = 7 * size_length
        size = int.from_bytes(head[id_length : id_length + size_length], "big") & (1 << bits) - 1
        content = start + id_length + size_length
        is_unknown = size == (1 << bits) - 1
        stop = end if is_unknown else min(end, content + size)
        yield kind, content, stop
        if is_unknown and kind == CLUSTER:
            return
        start = stop


def _number(file, place) -> int:
    start, stop = place
    file.seek(start)
    return int.from_bytes(file.read(min(8, stop - start)), "big")


def _find(parts: Iterator[tuple], kind) -> Iterator[tuple[int, int]]:
    return ((start, stop) for name, start, stop in parts if name == kind)
