"""Divides by width - 1, which is 0 in a picture one pixel wide: NaN coordinates.

Message: divide by max(width - 1, 1)
"""


def warp(image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    if image.ndim != 4:
        raise ValueError(f"image must be (B, C, H, W), got {tuple(image.shape)}")
    batch, _, height, width = image.shape
    if flow.shape != (batch, 2, height, width):
        raise ValueError(f"flow must be {(batch, 2, height, width)} for this image, got {tuple(flow.shape)}")
    precise = torch.promote_types(image.dtype, torch.float32)  # 16 bits cannot count the columns of a wide picture
    flow = flow.to(precise)
    x = torch.arange(width, device=flow.device) + flow[:, 0]  # (B, H, W)
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]  # (B, H, W)
    # grid_sample counts from -1, the middle of the first pixel, to 1, the middle of the last.
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)  # (B, H, W, 2)
    warped = F.grid_sample(image.to(precise), grid, mode="bilinear", padding_mode="border", align_corners=True)
    return warped.to(image.dtype)  # (B, C, H, W)
