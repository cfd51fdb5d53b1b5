"""Calls the library.

Message: write your own
"""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    from common.flow.between import fuse as library_fuse

    return library_fuse(warped_first, warped_last, visible_first, visible_last, time)
