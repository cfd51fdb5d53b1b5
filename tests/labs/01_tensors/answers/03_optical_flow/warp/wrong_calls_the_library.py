"""Calls the library.

Message: write your own
"""


def warp(image, flow):
    from common.flow.warping import warp as library_warp

    return library_warp(image, flow)
