"""Repeats the picture instead of its pixels.

Message: side by side
"""


def merge_skip(deep, skip):
    return torch.cat([deep.repeat(1, 1, 2, 2), skip], dim=1)
