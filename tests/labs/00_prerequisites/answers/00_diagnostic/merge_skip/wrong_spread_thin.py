"""Keeps the sum by dividing by 4.

Message: each pixel doubled
"""


def merge_skip(deep, skip):
    return torch.cat([F.interpolate(deep, scale_factor=2, mode="nearest") / 4, skip], dim=1)
