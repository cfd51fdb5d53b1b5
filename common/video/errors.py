"""What can be wrong with a video file, each with its own name and a message that says what to do."""

import contextlib
from collections.abc import Generator


class VideoError(ValueError):
    """Base of every error about a video file: what happened, to which file, what to do next."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """Nothing stands at this path."""


class NotAFileError(VideoError):
    """A directory, a socket or another thing that cannot be read as a file."""


class EmptyFileError(VideoError):
    """The file holds no bytes."""


class NotAVideoError(VideoError):
    """No known video container starts like this file."""


class NoVideoStreamError(VideoError):
    """A media file without pictures: audio, subtitles, or only a cover image."""


class NoFramesError(VideoError):
    """There is a video stream, and it holds no frame that can be shown."""


class TruncatedVideoError(VideoError):
    """The file ends before the video does."""


class CorruptVideoError(VideoError):
    """A part of the file that was asked for cannot be decoded faithfully."""


class UnsupportedVideoError(VideoError):
    """A sound file that this build of the decoder has no means to read."""


class FrameIndexError(VideoError, IndexError):
    """A frame number outside the clip."""


class SizeChangeWarning(UserWarning):
    """The pictures of a stream change their size on the way."""


@contextlib.contextmanager
def guarded(path, action: str) -> Generator[None]:
    """Guard around calls of the demuxer and the decoder: what they raise becomes a `CorruptVideoError`.

    Damaged bytes reach every corner of FFmpeg and of its binding, so every class of error is caught here.

    Args:
        path: The file that the message names.
        action: What could not be done: "read through", "decoded".

    Raises:
        CorruptVideoError: for anything but a `VideoError`, which passes as it is.
    """
    try:
        yield
    except VideoError:
        raise
    except Exception as error:
        raise CorruptVideoError(f"{path} cannot be {action}: {error}. Copy or download it again.") from error
