"""Gives grid_sample the displacements instead of the places.

Message: only the flow is used
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
    x = flow[:, 0]
    y = flow[:, 1]
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return F.grid_sample(image, grid.to(image.dtype), mode="bilinear", padding_mode="border", align_corners=True)
