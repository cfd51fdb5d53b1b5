"""Reads frames by number, in any order, or all of them in bounded memory."""

import os
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from common.video.colour import to_rgb
from common.video.decoder import FrameDecoder
from common.video.errors import FrameIndexError, SizeChangeWarning, VideoError, guarded
from common.video.pool import DecoderPool
from common.video.probe import VideoInfo, describe


class VideoReader:
    """A video file, opened for reading. A context manager; not for two threads at once.

    Frames come as a player shows them: cropped where the container asks for it, with square pixels, upright, converted
    to RGB by the stream's own matrix and range. Their numbers are places in the order of presentation; their times are
    `timestamps`, and the last one stays until `info.duration`. A frame is the same to the bit however it is reached.

    All frames have the size of the first. Where a stream changes its size on the way, the others are scaled to it, and
    a `SizeChangeWarning` names the first of them that was read.

    A reader may be handed to other processes, such as a DataLoader's workers. The child of a fork opens the file anew
    at its first read. A pickled reader is a path: unpickled, it opens that file.

    Attributes:
        info: `VideoInfo`, what `probe` tells.
        timestamps: float64 (N,), the second at which each frame appears, rising, the first one at 0.0.
        keyframes: Numbers of the frames at which decoding can start, rising.
    """

    def __init__(self, path):
        self._pool = DecoderPool(path)
        try:
            self.info: VideoInfo = describe(self._pool.first)
        except BaseException:
            self._pool.close()
            raise
        self._index = self._pool.first.index
        self.timestamps: np.ndarray = self._index.timestamps
        self.keyframes: list[int] = [keyframe.number for keyframe in self._index.keyframes]
        self._is_open = True
        self._says_sizes = True  # until it has said so once

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def __reduce__(self):
        self._check_open()
        return VideoReader, (os.path.abspath(self.info.path),)

    def __len__(self) -> int:
        return self.info.num_frames

    @property
    def num_decoded(self) -> int:
        """How many frames the decoder has put out for this reader so far, wanted or not."""
        return self._pool.num_decoded

    def close(self) -> None:
        """Closes the file. Safe to call twice; reading is over then."""
        self._is_open = False
        self._pool.close()

    def read(self, indices: Sequence[int], *, size: int | None = None) -> np.ndarray:
        """Reads frames by number.

        Args:
            indices: Frame numbers from 0 to `len(reader) - 1`, in any order, repeats allowed.
            size: Length of the shorter side, in pixels; the frames are scaled (bicubic, aspect kept) while they are
                converted. None keeps their own size.

        Returns:
            uint8 (N, H, W, 3), frame i of it the one numbered `indices[i]`.

        Raises:
            FrameIndexError: a number lies outside the clip.
            CorruptVideoError: one of these frames cannot be decoded.
            VideoError: the reader is closed.
            ValueError: `size` is below 1.
        """
        self._check_open()
        numbers = self._check(indices)
        height, width = self._shape(size)
        frames = np.empty((len(numbers), height, width, 3), np.uint8)
        places = {}
        for place, number in enumerate(numbers):
            places.setdefault(number, []).append(place)

        def take(number: int, frame, reformatter) -> None:
            first, *others = places[number]
            frames[first] = self._picture(frame, height, width, reformatter)
            frames[others] = frames[first]
            if (frame.width, frame.height) != self.info.stored_size:
                resized[number] = frame.width, frame.height

        resized = {}
        self._pool.fetch(sorted(places), take)
        self._say_sizes(resized)
        return frames

    def stream(
        self, start: int = 0, stop: int | None = None, chunk: int = 16, *, size: int | None = None
    ) -> Iterator[np.ndarray]:
        """Reads frames in order, a few at a time: memory stays the same however long the video is.

        Args:
            start: Number of the first frame.
            stop: Number behind the last frame, or None for all.
            chunk: How many frames to hand out at a time.
            size: As in `read`.

        Yields:
            uint8 (t, H, W, 3) with t = `chunk`, and the rest in the last one. Each is an array of its own.

        Raises:
            FrameIndexError: `start` or `stop` lies outside the clip.
            ValueError: `chunk` is below 1; and what `read` raises.
        """
        self._check_open()
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, got {chunk}")
        stop = len(self) if stop is None else stop
        if not 0 <= start <= stop <= len(self):
            raise FrameIndexError(f"frames {start} to {stop} are not in {self.info.path}, which has {len(self)}.")
        height, width = self._shape(size)
        return self._stream(range(start, stop), chunk, height, width)

    def _stream(self, numbers: range, chunk: int, height: int, width: int) -> Iterator[np.ndarray]:
        decoder = FrameDecoder(self.info.path, self._index)  # its own, so that `read` in between does no harm
        try:
            frames = decoder.fetch(numbers)
            for first in range(0, len(numbers), chunk):
                pictures = np.empty((min(chunk, len(numbers) - first), height, width, 3), np.uint8)
                for picture, (number, frame) in zip(pictures, frames):
                    picture[...] = self._picture(frame, height, width, decoder.reformatter)
                    if (frame.width, frame.height) != self.info.stored_size:
                        self._say_sizes({number: (frame.width, frame.height)})
                yield pictures
        finally:
            decoder.close()

    def _picture(self, frame, height: int, width: int, reformatter) -> np.ndarray:
        orientation = self.info.orientation
        stored = (height, width) if orientation.transpose else (width, height)
        with guarded(self.info.path, "converted to RGB"):
            return orientation.upright(to_rgb(frame, *stored, reformatter, self.info.crop))

    def _say_sizes(self, resized: dict[int, tuple[int, int]]) -> None:
        """Warns, once, of frames that are stored in another size than the first; by number, (width, height)."""
        if not resized or not self._says_sizes:
            return
        self._says_sizes = False
        number = min(resized)
        stored = [" x ".join(map(str, size)) for size in (resized[number], self.info.stored_size)]
        warnings.warn(
            f"frame {number} of {self.info.path} has {stored[0]} pixels and the first frame has {stored[1]}: it is "
            "scaled to the size of the first, and so is every frame like it.",
            SizeChangeWarning,
            stacklevel=3,
        )

    def _shape(self, size: int | None) -> tuple[int, int]:
        height, width = self.info.height, self.info.width
        if size is None:
            return height, width
        if size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {size}")
        shorter = min(height, width)
        return round(height * size / shorter), round(width * size / shorter)

    def _check_open(self) -> None:
        if not self._is_open:
            raise VideoError(f"the reader of {self.info.path} is closed. Open a new one.")

    def _check(self, indices: Sequence[int]) -> list[int]:
        numbers = [int(i) for i in indices]
        broken = [i for i, number in zip(indices, numbers) if i != number]
        if broken:
            raise FrameIndexError(f"frame numbers are whole, got {broken[0]} for {self.info.path}.")
        outside = [i for i in numbers if not 0 <= i < len(self)]
        if outside:
            raise FrameIndexError(
                f"frame {outside[0]} does not exist: {self.info.path} has {len(self)} frames, 0 to {len(self) - 1}."
            )
        return numbers


def read_frames(path, indices: Sequence[int] | None = None, *, size: int | None = None) -> np.ndarray:
    """Reads the frames with these numbers, or all of them, as `VideoReader.read` does: uint8 (N, H, W, 3)."""
    with VideoReader(path) as reader:
        return reader.read(range(len(reader)) if indices is None else indices, size=size)


def timestamps(path) -> np.ndarray:
    """The second at which each frame of a video file appears: float64 (N,), rising, the first one at 0.0."""
    with VideoReader(path) as reader:
        return reader.timestamps
