"""Pushes pixels forward instead of fetching them: holes and collisions.

Message: the picture moved the wrong way
"""


def warp(image, flow):
    if image.ndim != 4:
        raise ValueError(f"image {tuple(image.shape)}")
    batch, _, height, width = image.shape
    if tuple(flow.shape) != (batch, 2, height, width):
        raise ValueError(f"flow {tuple(flow.shape)}")
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=flow.dtype), torch.arange(width, dtype=flow.dtype), indexing="ij"
    )
    x = columns + flow[:, 0]
    y = rows + flow[:, 1]
    column = x.round().long().clamp(0, width - 1)
    row = y.round().long().clamp(0, height - 1)
    out = torch.zeros_like(image)
    for b in range(batch):
        out[b][:, row[b], column[b]] = image[b]
    return out
