"""Calls the library's own version.

Message: write your own
"""


def even_indices(total, num_frames):
    return video.even_indices(total, num_frames)
