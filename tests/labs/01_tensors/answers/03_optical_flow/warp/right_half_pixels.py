"""grid_sample with align_corners=False, converted with care."""


def warp(image, flow):
    if image.ndim != 4:
        raise ValueError(f"image {tuple(image.shape)}")
    batch, _, height, width = image.shape
    if tuple(flow.shape) != (batch, 2, height, width):
        raise ValueError(f"flow {tuple(flow.shape)}")
    x = torch.arange(width).to(flow) + flow[:, 0]
    y = torch.arange(height).to(flow)[:, None] + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=3)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)
