"""Other libraries that read video, each used the way its documentation shows, behind one signature.

    read(path, indices, size=None) -> uint8 (N, H, W, 3)

Each function opens the file, reads the frames with these numbers, and closes it: what a data loader does for every
clip. `size` is (height, width) of the result, scaled by whatever the library scales with. None of them is needed to
read video here: `PEERS` says which are there and, of the others, why not. They come with the extra `loaders`: pip
install 'flipbook-video[loaders]'.
"""

import contextlib
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Sequence
from functools import cache
from typing import NamedTuple

import av
import numpy as np

from common.video.reader import VideoReader


class Peer(NamedTuple):
    """A library that reads video.

    Attributes:
        name: What people call it.
        distribution: What pip calls it.
        read: Reads frames with it.
        find: Imports what `read` needs; raises where that is not there.
    """

    name: str
    distribution: str
    read: Callable
    find: Callable

    @property
    def absence(self) -> str:
        """Why it cannot be used on this machine; empty where it can."""
        try:
            self.find()
        except Exception as error:  # a library that is half there fails in ways of its own
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:120]
        return ""

    @property
    def version(self) -> str:
        """The installed version, or an empty string."""
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return ""


@contextlib.contextmanager
def silenced() -> Generator[None]:
    """Drops what C libraries write to standard error: each of them holds an FFmpeg of its own, which talks there."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def read_torchcodec(path, indices: Sequence[int], size=None, seek_mode="exact") -> np.ndarray:
    """torchcodec: an exact table of frames first (its default), then all of them in one call, on every core."""
    decoders, transforms = _torchcodec()
    scaling = [transforms.Resize(size)] if size else None
    decoder = decoders.VideoDecoder(
        str(path), dimension_order="NHWC", num_ffmpeg_threads=0, seek_mode=seek_mode, transforms=scaling
    )
    return decoder.get_frames_at(list(indices)).data.numpy()


def read_decord(path, indices: Sequence[int], size=None) -> np.ndarray:
    """decord: one call for the whole batch; it scales while it converts."""
    decord = importlib.import_module("decord")
    height, width = size or (-1, -1)
    return decord.VideoReader(str(path), width=width, height=height).get_batch(list(indices)).asnumpy()


def read_pyav(path, indices: Sequence[int], size=None) -> np.ndarray:
    """PyAV used plainly: for each frame a seek to the keyframe before it, and decoding up to it."""
    return count_pyav(path, indices, size)[0]


def count_flipbook(path, indices: Sequence[int]) -> tuple[np.ndarray, int]:
    """Our own reader, and how many frames it decoded."""
    with VideoReader(path) as reader:
        return reader.read(indices), reader.num_decoded


def count_pyav(path, indices: Sequence[int], size=None) -> tuple[np.ndarray, int]:
    """As `read_pyav`, and how many frames were decoded on the way."""
    height, width = size or (None, None)
    pictures, num_decoded = [], 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first = stream.start_time or 0
        for number in indices:
            pts = first + round(number / stream.average_rate / stream.time_base)
            container.seek(pts, stream=stream)
            for frame in container.decode(stream):
                num_decoded += 1
                if frame.pts >= pts:
                    break
            pictures.append(frame.to_ndarray(format="rgb24", width=width, height=height))
    return np.stack(pictures), num_decoded


def read_opencv(path, indices: Sequence[int], size=None) -> np.ndarray:
    """OpenCV: the position is set for each frame, unless it is the next one anyway; BGR is turned into RGB."""
    cv2 = importlib.import_module("cv2")
    capture = cv2.VideoCapture(str(path))
    pictures, position = [], 0
    for number in indices:
        if number != position:
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        there, picture = capture.read()
        if not there:
            raise ValueError(f"OpenCV gives no frame {number} of {path}")
        position = number + 1
        if size:
            picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    capture.release()
    return np.stack(pictures)


def read_ffmpeg(path, indices: Sequence[int], size=None) -> np.ndarray:
    """ffmpeg through a pipe: one process decodes from the start and passes on the wanted frames, as raw RGB."""
    return count_ffmpeg(path, indices, size)[0]


def count_ffmpeg(path, indices: Sequence[int], size=None) -> tuple[np.ndarray, int]:
    """As `read_ffmpeg`, and how many frames the program says it has decoded."""
    wanted = sorted(set(indices))
    chosen = "+".join(f"between(n,{start},{stop})" for start, stop in _ranges(wanted))
    height, width = size or _size_of(path)
    filters = f"select='{chosen}',scale={width}:{height}" if size else f"select='{chosen}'"
    options = ["-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(len(wanted)), "-pix_fmt", "rgb24"]
    command = [ffmpeg_program(), "-nostdin", "-v", "verbose", "-i", str(path), "-an", *options, "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(len(wanted), height, width, 3)
    told = re.findall(r"(\d+) frames decoded", done.stderr.decode(errors="replace"))
    place = {number: row for row, number in enumerate(wanted)}
    return pictures[[place[number] for number in indices]], int(told[0]) if told else 0


def read_torchvision(path, indices: Sequence[int], size=None) -> np.ndarray:
    """torchvision.io: it knows whole stretches of time only, so everything is read and the frames are picked."""
    frames, _, _ = _torchvision().read_video(str(path), pts_unit="sec", output_format="THWC")
    pictures = frames[list(indices)]
    if size:
        functional = importlib.import_module("torchvision.transforms.v2.functional")
        pictures = functional.resize(pictures.permute(0, 3, 1, 2), list(size)).permute(0, 2, 3, 1)
    return pictures.numpy()


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Rising numbers as ranges (first, last): a filter with one term a range stays short."""
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _size_of(path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.height, stream.width


@cache
def ffmpeg_program() -> str:
    """The program: the machine's own, else the one that imageio-ffmpeg brings along."""
    return shutil.which("ffmpeg") or importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()


def _torchcodec():
    return importlib.import_module("torchcodec.decoders"), importlib.import_module("torchcodec.transforms")


def _torchvision():
    module = importlib.import_module("torchvision.io")
    if not hasattr(module, "read_video"):
        raise ImportError("this torchvision no longer reads video; its documentation points to torchcodec")
    return module


# Name -> count(path, indices): the frames, and how many were decoded on the way. The other libraries do not say.
COUNTERS = {"flipbook": count_flipbook, "PyAV": count_pyav, "ffmpeg pipe": count_ffmpeg}
PEERS = {
    peer.name: peer
    for peer in (
        Peer("torchcodec", "torchcodec", read_torchcodec, _torchcodec),
        Peer("decord", "decord", read_decord, lambda: importlib.import_module("decord")),
        Peer("PyAV", "av", read_pyav, lambda: av),
        Peer("OpenCV", "opencv-python-headless", read_opencv, lambda: importlib.import_module("cv2")),
        Peer("ffmpeg pipe", "imageio-ffmpeg", read_ffmpeg, ffmpeg_program),
        Peer("torchvision", "torchvision", read_torchvision, _torchvision),
    )
}
