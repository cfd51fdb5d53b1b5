"""Opens a file and finds its video stream; turns whatever goes wrong into an error that a person can act on."""

import os
from pathlib import Path

import av
from av.stream import Discard

from common.video.errors import (
    EmptyFileError,
    NoFramesError,
    NotAFileError,
    NotAVideoError,
    NoVideoStreamError,
    TruncatedVideoError,
    UnsupportedVideoError,
    VideoError,
    VideoNotFoundError,
)

# Containers that hold video, and the audio ones that people confuse with them. Left out on purpose: playlists
# (they can name other files and addresses), pictures, and the text formats that would accept any file at all.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,nut,ivf,mxf,gif,apng,m4v,h264,hevc,"
    "obu,av1,mjpeg,yuv4mpegpipe,wav,mp3,flac,aac,aiff"
)
# Whose frames may be decoded side by side. Others of FFmpeg 8.1 race with themselves when a file is damaged (VP9
# and FFV1 end the process); they share out the slices of one frame instead.
FRAME_THREADS = ("h264", "hevc")
OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}


def check_file(path) -> Path:
    """The path as a `Path`, if a file with something in it stands there."""
    path = Path(path)
    if not path.exists():
        raise VideoNotFoundError(f"{path} does not exist. Check the spelling and the folder you are in ({Path.cwd()}).")
    if path.is_dir():
        raise NotAFileError(f"{path} is a directory. Name a video file inside it.")
    if not path.is_file():
        raise NotAFileError(f"{path} is not a regular file. Name a video file.")
    if path.stat().st_size == 0:
        raise EmptyFileError(f"{path} is empty (0 bytes). Copy or download it again.")
    return path


def open_video(path, threads: int = 0) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Opens a video file.

    Args:
        path: A file's path; never an address, whatever it looks like.
        threads: For decoding; 0 leaves the number to FFmpeg.

    Returns:
        The open container, and its first video stream that is no cover picture. The caller closes the container.

    Raises:
        VideoError: one of its kinds for each thing that can be wrong with a file (see `common.video.errors`).
    """
    path = check_file(path)
    container = _open_container(path)
    try:
        stream = _find_stream(container, path)
    except BaseException:
        container.close()
        raise
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    stream.thread_type = "AUTO" if stream.codec_context.name in FRAME_THREADS else "SLICE"
    stream.thread_count = threads
    return container, stream


def _open_container(path: Path):
    # "file:" keeps a name such as "a:b.mp4" from being read as a protocol.
    try:
        return av.open(f"file:{os.path.abspath(path)}", options=OPTIONS, metadata_errors="replace")
    except PermissionError as error:
        raise VideoError(f"{path} may not be read: permission denied. Change its permissions.") from error
    except (av.FFmpegError, ValueError) as error:
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


def _find_stream(container, path: Path):
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        kinds = sorted({s.type for s in container.streams})
        if not kinds:
            raise NoFramesError(f"{path} holds no stream, so no frame at all. Record or export it again.")
        raise NoVideoStreamError(f"{path} has no video stream, only: {', '.join(kinds)}. Name a file with pictures.")
    if streams[0].codec_context is None:
        raise UnsupportedVideoError(
            f"{path} is coded in a format that this build of FFmpeg cannot decode. Convert it to H.264 first."
        )
    return streams[0]
