"""Calls the library.

Message: write your own
"""


def warp_to_time(first, last, forward, backward, time=0.5):
    from common.flow.between import warp_to_time as library_warp_to_time

    return library_warp_to_time(first, last, forward, backward, time)
