"""Imports the library's own part.

Message: has no attribute 'runs'
"""


def decode_runs(indices, keyframes):
    from common.video.reader import VideoReader

    if len(keyframes) == 0 or keyframes[0] != 0 or min(indices, default=0) < 0:
        raise ValueError(f"{indices} {keyframes}")
    return list(VideoReader.runs(indices))
