"""Leaves the skip out.

Message: added or left out
"""


def merge_skip(deep, skip):
    return F.interpolate(deep, scale_factor=2, mode="nearest")
