"""What can be wrong with a video file, each with its own name and a message that says what to do."""


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
