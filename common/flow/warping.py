"""The convention of optical flow, and the backward warp that gives it its meaning.

A flow is `(2, H, W)`, a batch `(B, 2, H, W)`: first x (columns, rightward), then y (rows, downward), in pixels per
frame. It is the forward flow, from frame t to frame t + 1: what is at `(x, y)` in frame t is at
`(x + flow[0, y, x], y + flow[1, y, x])` in frame t + 1. So `warp(frame_t1, flow)` looks like frame t.
"""

import torch
import torch.nn.functional as F


def warp(image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Fetch every pixel from where the flow points: the next frame, moved back onto this one.

    `warped[b, c, y, x] = image[b, c, y + flow[b, 1, y, x], x + flow[b, 0, y, x]]`. Between pixels the four around the
    place are mixed bilinearly. A place outside the picture takes the nearest pixel of its border.

    Args:
        image: `(B, C, H, W)`, float32 or float64: frame t + 1. H or W may be 1.
        flow: `(B, 2, H, W)`, in the dtype of `image`, x then y, pixels per frame: the forward flow from frame t to
            frame t + 1.

    Returns:
        `(B, C, H, W)` in the dtype of `image`, as differentiable in the image as in the flow.

    Raises:
        ValueError: `image` has not four axes, or `flow` is not `(B, 2, H, W)` of the same B, H and W.
    """
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
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)  # (B, H, W, 2)
    warped = F.grid_sample(image.to(precise), grid, mode="bilinear", padding_mode="border", align_corners=True)
    return warped.to(image.dtype)  # (B, C, H, W)


def points_inside(flow: torch.Tensor) -> torch.Tensor:
    """Where the flow ends inside the picture, so that there is a pixel to compare with.

    Args:
        flow: `(B, 2, H, W)`, pixels per frame.

    Returns:
        bool `(B, 1, H, W)`.
    """
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, :1]  # (B, 1, H, W)
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1:]  # (B, 1, H, W)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
