"""Leaves the skip out.

Message: should have the shape
"""


def merge_skip(deep, skip):
    return F.interpolate(deep, scale_factor=2, mode="nearest")
