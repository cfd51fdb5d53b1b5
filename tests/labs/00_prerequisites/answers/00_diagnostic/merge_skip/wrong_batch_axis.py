"""Concatenates along the batch.

Message: your code raises
"""


def merge_skip(deep, skip):
    return (
        torch.cat([F.interpolate(deep, scale_factor=2, mode="nearest"), skip], dim=0)
        if deep.shape[1] != skip.shape[1]
        else torch.cat([deep, skip])
    )
