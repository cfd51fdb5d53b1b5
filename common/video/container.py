"""Opens a file and finds its video stream; turns whatever goes wrong into an error that a person can act on."""

import errno
import os
import stat
from pathlib import Path

import av
from av.stream import Discard

from common.files import reason
from common.video.errors import (
    CorruptVideoError,
    EmptyFileError,
    NoFramesError,
    NotAFileError,
    NotAVideoError,
    TruncatedVideoError,
    VideoError,
    VideoNotFoundError,
)
from common.video.streams import best_stream

# Containers that hold video, and the audio ones that people confuse with them. Left out on purpose: playlists
# (they can name other files and addresses), pictures, and the text formats that would accept any file at all.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,nut,ivf,mxf,gif,apng,m4v,h264,hevc,"
    "obu,av1,mjpeg,yuv4mpegpipe,dv,wav,mp3,flac,aac,aiff"
)
# Whose frames may be decoded side by side. Others of FFmpeg 8.1 race with themselves when a file is damaged (VP9
# and FFV1 end the process); they share out the slices of one frame instead.
FRAME_THREADS = ("h264", "hevc")
# The system's fault, not the file's: too many open files, a name too long. (No memory, a failed read: damaged bytes
# make FFmpeg say that, too.)
SYSTEM_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG)
OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}


def check_file(path) -> Path:
    """The path as a `Path`, if it leads to a file with something in it."""
    path = Path(os.fsdecode(path))
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise VideoNotFoundError(
            f"{path} does not exist. Check the spelling and the folder you are in ({Path.cwd()})."
        ) from error
    except OSError as error:
        raise VideoError(f"{path} cannot be reached: {reason(error)}.") from error
    if stat.S_ISDIR(status.st_mode):
        raise NotAFileError(f"{path} is a directory. Name a video file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise NotAFileError(f"{path} is not a regular file. Name a video file.")
    if status.st_size == 0:
        raise EmptyFileError(f"{path} is empty (0 bytes). Copy or download it again.")
    return path


def open_video(path, threads: int = 0, number: int | None = None) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Opens a video file.

    Args:
        path: A file's path; never an address, whatever it looks like.
        threads: For decoding; 0 leaves the number to FFmpeg.
        number: Of the stream in the file, or None for the one that `best_stream` chooses.

    Returns:
        The open container, and its stream. The caller closes the container.

    Raises:
        VideoError: one of its kinds for each thing that can be wrong with a file (see `common.video.errors`).
    """
    path = check_file(path)
    container = _open_container(path)
    try:
        if number is None:
            number = best_stream(container, path).index
            if len(container.streams.video) > 1:  # to choose, packets may have been read
                container.close()
                container = _open_container(path)
        if number >= len(container.streams):
            raise CorruptVideoError(f"{path} has changed since it was opened. Open it again.")
        stream = container.streams[number]
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        stream.thread_type = "AUTO" if stream.codec_context.name in FRAME_THREADS else "SLICE"
        stream.thread_count = threads
    except BaseException:
        container.close()
        raise
    return container, stream


def _open_container(path: Path):
    # "file:" keeps a name such as "a:b.mp4" from being read as a protocol.
    try:
        return av.open(f"file:{os.path.abspath(path)}", options=OPTIONS, metadata_errors="replace")
    except PermissionError as error:
        raise VideoError(f"{path} may not be read: permission denied. Change its permissions.") from error
    except Exception as error:  # of any class: the bytes may be anything
        if isinstance(error, OSError) and error.errno in SYSTEM_ERRORS:
            raise VideoError(f"{path} cannot be opened: {os.strerror(error.errno).lower()}.") from error
        raise _why_not(path, error) from error


def _why_not(path: Path, error: Exception) -> VideoError:
    """The reason why a file could not be opened, as far as its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return TruncatedVideoError(
            f"{path} begins as an MP4 or QuickTime file, but its table of frames (the moov box) is missing or damaged: "
            "the recording or the copy was cut short. Copy or download it again."
        )
    if head[:4] == b"RIFF" and head[8:11] != b"AVI":
        kind = head[8:12].decode("ascii", "replace").strip()
        return NotAVideoError(f"{path} is a RIFF file of type {kind!r}, not an AVI video. Convert it to MP4 first.")
    is_matroska_or_avi = head[:4] in (b"\x1a\x45\xdf\xa3", b"RIFF")
    if is_matroska_or_avi and isinstance(error, av.EOFError):
        return NoFramesError(f"{path} holds a header and no frame after it. Record or export it again.")
    if is_matroska_or_avi:
        return TruncatedVideoError(
            f"{path} begins as a Matroska, WebM or AVI file, but what follows is missing or damaged ({error}). "
            "Copy or download it again."
        )
    return NotAVideoError(
        f"{path} is not a video: no known container (MP4, MOV, MKV, WebM, AVI, TS, ...) starts like this file."
    )
