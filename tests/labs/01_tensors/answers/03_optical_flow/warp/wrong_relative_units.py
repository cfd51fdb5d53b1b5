"""Adds the flow to the grid of grid_sample, as if it counted from -1 to 1.

Message: column x + u, row y + v
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
    x = columns
    y = rows
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    grid = grid.expand(batch, height, width, 2) + flow.permute(0, 2, 3, 1)
    return F.grid_sample(image, grid.to(image.dtype), mode="bilinear", padding_mode="border", align_corners=True)
